#pragma once

#include <cstring>

#include "base/stream.h"

namespace manman::archive::fuzz {

// Bytes of the fuzzer as a RandomSource. A read beyond their end is a finding: every reader knows
// the size beforehand.
class MemorySource final : public RandomSource {
 public:
  explicit MemorySource(ConstBytes bytes) : bytes_(bytes) {}
  uint64_t size() const override { return bytes_.size(); }
  Result<void> read_at(uint64_t offset, MutableBytes buffer) override;

 private:
  ConstBytes bytes_;
};

}  // namespace manman::archive::fuzz
