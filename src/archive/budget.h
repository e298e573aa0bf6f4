#pragma once

#include <cstdint>

#include "base/error.h"

namespace manman::archive {

// How much an archive may unpack to. Holes don't count.
class Budget {
 public:
  // max_bytes 0: no limit.
  Budget(uint64_t max_bytes, uint32_t max_ratio, uint64_t archive_size);
  // Before anything is unpacked: what the archive says of itself.
  Result<void> check_claim(uint64_t bytes) const;
  // kResourceExhausted beyond max_bytes, kInvalidArgument beyond the ratio.
  Result<void> take(uint64_t bytes);

 private:
  uint64_t max_bytes_;
  uint32_t max_ratio_;
  uint64_t max_by_ratio_;
  uint64_t taken_ = 0;
};

}  // namespace manman::archive
