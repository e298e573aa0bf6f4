#include "fuzz/memory_source.h"

#include "fuzz/check.h"

namespace manman::archive::fuzz {

Result<void> MemorySource::read_at(uint64_t offset, MutableBytes buffer) {
  CHECK(offset <= bytes_.size() && buffer.size() <= bytes_.size() - offset);
  if (!buffer.empty()) std::memcpy(buffer.data(), bytes_.data() + offset, buffer.size());
  return {};
}

}  // namespace manman::archive::fuzz
