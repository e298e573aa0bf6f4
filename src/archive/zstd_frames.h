#pragma once

#include <memory>
#include <vector>

#include "archive/frame_codec.h"

struct ZSTD_CCtx_s;

namespace manman::archive {

// Writes zstd frames, one call a frame: the mark, content size, blocks, checksum. One thread at a
// time.
class ZstdWriter {
 public:
  // Faster than memory is hashed, and still finds long repeats; what does not compress comes out as
  // it is.
  static constexpr int kProbing = -10;

  explicit ZstdWriter(int level);
  ~ZstdWriter();
  ZstdWriter(const ZstdWriter&) = delete;
  ZstdWriter& operator=(const ZstdWriter&) = delete;
  // raw is at most kFrameSize long.
  Result<void> write(ConstBytes raw, std::vector<std::byte>& packed);

 private:
  struct Deleter {
    void operator()(ZSTD_CCtx_s* one) const;
  };
  std::unique_ptr<ZSTD_CCtx_s, Deleter> context_;
};

// Frames of .tar.zst. `level` is zstd's, 1 to 19.
std::unique_ptr<FramePacker> make_zstd_packer(int level);
std::unique_ptr<FrameUnpacker> make_zstd_unpacker();

}  // namespace manman::archive
