#pragma once

#include <memory>
#include <vector>

#include "archive/format.h"
#include "base/stream.h"

namespace manman::archive {

// The CRC-32 of gzip, and the one of two runs joined from theirs.
uint32_t crc32_of(ConstBytes bytes);
uint32_t crc32_join(uint32_t first, uint32_t second, uint64_t second_size);

// Compresses frames, each by itself, so that they stand in an archive of its format one behind the
// other. The same bytes make the same frame. One thread at a time.
class FramePacker {
 public:
  virtual ~FramePacker() = default;
  // Fills packed with the frame of raw, which is at most kFrameSize long and not empty.
  Result<format::FrameRecord> pack(ConstBytes raw, std::vector<std::byte>& packed);

 private:
  virtual Result<void> compress(ConstBytes raw, std::vector<std::byte>& packed) = 0;
};
std::unique_ptr<FramePacker> make_packer(const Compression& compression);

// Decompresses and checks frames. One thread at a time.
class FrameUnpacker {
 public:
  // Bytes behind a packed frame that unpack() may write to.
  static constexpr size_t kRoom = 2;

  virtual ~FrameUnpacker() = default;
  // Checks the hash of packed, which is record.packed_size long, then fills raw, which is
  // record.raw_size long, and checks its CRC; kDataLoss when either is wrong. Packed must have
  // kRoom more bytes behind it.
  Result<void> unpack(const format::FrameRecord& record, MutableBytes packed_and_room,
                      MutableBytes raw);

 private:
  // Of packed, kRoom aside, exactly raw.
  virtual Result<void> decompress(MutableBytes packed_and_room, MutableBytes raw) = 0;
};
std::unique_ptr<FrameUnpacker> make_unpacker(ArchiveFormat format);

}  // namespace manman::archive
