#pragma once

#include <cstdint>
#include <string>

#include "archive/archive.h"
#include "base/error.h"

namespace manman::archive {

// How much an archive may unpack to. Holes don't count.
//
// Beside what is allowed and what the disk has room for, a ratio to the archive's size keeps small
// archives from unpacking to very much. What an archive with a good index unpacks to it says
// beforehand, and that is held against the room at once; so it may be as much as it compresses to,
// but for zeros in long runs, which pack() never stores as anything but holes.
class Budget {
 public:
  struct Limits {
    uint64_t max_bytes = 0;            // 0: no limit
    uint64_t free_bytes = UINT64_MAX;  // that may be used of the disk's room
    uint32_t max_ratio = 1;            // times the archive's size
    bool only_zeros = false;           // that the ratio is about
  };
  Budget(const Limits& limits, uint64_t archive_size);
  // For an archive of this size unpacked into the folder `target`: by the options, and by the room
  // on its file system, of which some is left for others.
  static Result<Budget> of(const std::string& target, const UnpackOptions& options,
                           uint64_t archive_size, bool indexed);
  // Whether so many bytes may be unpacked in all; kResourceExhausted when not.
  Result<void> check(uint64_t bytes) const;
  // kResourceExhausted beyond max_bytes or the room on the disk, kInvalidArgument beyond the ratio.
  Result<void> take(uint64_t bytes);
  // Says of bytes that take() is told of, too, that they are a long run of zeros of a file that has
  // no holes.
  Result<void> take_zeros(uint64_t bytes);

 private:
  Result<void> take_by_ratio(uint64_t bytes);

  Limits limits_;
  uint64_t max_by_ratio_;
  uint64_t taken_ = 0;
  uint64_t by_ratio_ = 0;
};

}  // namespace manman::archive
