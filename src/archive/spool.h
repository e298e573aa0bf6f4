#pragma once

#include <string>

#include "base/error.h"
#include "base/file.h"
#include "base/stream.h"

namespace manman::archive {

// Bytes that are written in order and read back later, in any order: in memory up to a limit,
// then in a file that has no name (in $TMPDIR, or /tmp), so that memory doesn't grow with them
// and a crash leaves nothing. One thread at a time.
class Spool {
 public:
  explicit Spool(size_t memory_limit = size_t{4} << 20) : memory_limit_(memory_limit) {}

  uint64_t size() const { return file_size_ + memory_.size(); }
  Result<void> append(ConstBytes bytes);
  // Fills buffer from offset; both must lie within size().
  Result<void> read_at(uint64_t offset, MutableBytes buffer) const;
  // Replaces bytes within size().
  Result<void> overwrite(uint64_t offset, ConstBytes bytes);
  // All of it, in order.
  Result<void> copy_to(Sink& out) const;

 private:
  Result<void> spill();

  size_t memory_limit_;
  UniqueFd file_;
  uint64_t file_size_ = 0;
  std::string memory_;  // what follows the file's bytes
};

}  // namespace manman::archive
