#pragma once

#include <cstdint>
#include <string>

#include "archive/archive.h"
#include "base/error.h"

namespace manman::archive {

// How much an archive may unpack to. Holes don't count.
class Budget {
 public:
  struct Limits {
    uint64_t max_bytes = 0;            // 0: no limit
    uint64_t free_bytes = UINT64_MAX;  // that may be used of the disk's room
    uint32_t max_ratio = 1;            // times the archive's size
  };
  Budget(const Limits& limits, uint64_t archive_size);
  // For an archive of this size unpacked into the folder `target`: by the options, and by the room
  // on its file system, of which some is left for others.
  static Result<Budget> of(const std::string& target, const UnpackOptions& options,
                           uint64_t archive_size);
  // Whether so many bytes may be unpacked in all; kResourceExhausted when not.
  Result<void> check(uint64_t bytes) const;
  // kResourceExhausted beyond max_bytes or the room on the disk, kInvalidArgument beyond the ratio.
  Result<void> take(uint64_t bytes);

 private:
  Limits limits_;
  uint64_t max_by_ratio_;
  uint64_t taken_ = 0;
};

}  // namespace manman::archive
