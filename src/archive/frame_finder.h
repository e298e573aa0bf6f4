#pragma once

#include <memory>
#include <vector>

#include "archive/format.h"
#include "archive/index.h"
#include "base/progress.h"

namespace manman::archive {

// What is left of an index that is no longer good: the hashes of frames in those of its blocks that
// are whole. 8 bytes of memory a frame.
class FrameHashes {
 public:
  // Reads all of the archive once, in search of blocks.
  static Result<FrameHashes> gather(RandomSource& source, const Container& container,
                                    const Progress* progress);
  bool contains(const Sha256Digest& hash) const;
  // None is missing: a frame whose hash is not among them is damaged.
  bool complete() const { return complete_; }

 private:
  void add(ConstBytes data);

  std::vector<uint64_t> hashes_;  // their first bytes, sorted
  uint64_t packed_size_ = 0;      // of the frames that they are of
  bool complete_ = false;
};

// Takes the data of one frame out of bytes that begin with it, where its size is not known.
class FrameProbe {
 public:
  struct Found {
    size_t packed_size = 0;  // 0: there is no frame
    size_t raw_size = 0;
    bool last = false;     // the data's end follows
    size_t looked_at = 0;  // how many bytes it took to know
  };
  virtual ~FrameProbe() = default;
  // Fills raw, which is kFrameSize long.
  virtual Found look(ConstBytes bytes, MutableBytes raw) = 0;
  // The first offset from `from` on where a frame may begin; bytes.size() when there is none.
  virtual size_t next_place(ConstBytes bytes, size_t from) const = 0;
};
std::unique_ptr<FrameProbe> make_probe(ArchiveFormat format);

// Reads the frames of an archive of this format without its index, from the beginning, and after
// damage from the next place on where one can be read.
class FrameFinder {
 public:
  FrameFinder(RandomSource& source, ArchiveFormat format, const FrameHashes& hashes,
              const Progress* progress);

  // The next frame, or its beginning where the archive is cut off; false behind the last. What
  // stood before it may have been passed over: gap().
  Result<bool> next();
  ConstBytes raw() const { return ConstBytes(raw_).first(found_.raw_size); }
  // Bytes that are no frame stand between this one and the one before; behind the last: the data
  // does not end there as it should.
  bool gap() const { return gap_; }
  // Where the first of all gaps begins in the archive.
  uint64_t first_gap() const { return first_gap_; }
  // All frames so far were whole by a hash or checksum of their own.
  bool vouched() const { return vouched_; }
  // After the last frame, when there was no gap: whether what stands behind it agrees with the
  // whole.
  Result<bool> ends_right();

 private:
  Result<void> load(uint64_t at);
  Result<bool> try_here();
  Result<bool> move_on();
  bool at_end() const;

  RandomSource& source_;
  const Container& container_;
  const bool own_checksums_;
  const FrameHashes& hashes_;
  const Progress* progress_;
  std::unique_ptr<FrameProbe> probe_;
  std::vector<std::byte> buffer_;
  uint64_t begin_ = 0;  // of the buffer, in the archive
  uint64_t at_;         // where the next frame should begin
  FrameProbe::Found found_;
  std::vector<std::byte> raw_;
  bool gap_ = false;
  uint64_t first_gap_ = UINT64_MAX;
  bool vouched_ = true;
  uint32_t crc_ = 0;
  uint64_t stream_size_ = 0;
  uint64_t effort_left_;  // bytes that may be looked at in vain
};

}  // namespace manman::archive
