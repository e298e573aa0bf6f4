#pragma once

#include <string>

#include "archive/archive.h"
#include "archive/budget.h"
#include "archive/metadata.h"
#include "base/file.h"
#include "base/stream.h"

namespace manman::archive {

// Writes the contents of one file that was just made.
class FileWriter {
 public:
  FileWriter(UniqueFd fd, const Entry& entry, const Xattrs& xattrs, bool sparse, Budget& budget)
      : fd_(std::move(fd)), entry_(entry), xattrs_(xattrs), sparse_(sparse), budget_(budget) {}

  const std::string& path() const { return entry_.path; }
  uint64_t size_bytes() const { return entry_.size_bytes; }
  // Ascending offsets. Of a sparse file, aligned blocks of zeros are left out.
  Result<void> write(uint64_t offset, ConstBytes bytes);
  // Instead of any: see Extractor::share().
  bool share(int from);
  // Brings the file to its size and gives it its metadata.
  Result<void> finish(const Metadata& metadata);

 private:
  Result<void> put(uint64_t offset, ConstBytes bytes);
  void begin_writeback();

  UniqueFd fd_;
  const Entry entry_;
  const Xattrs xattrs_;
  const bool sparse_;
  Budget& budget_;
  uint64_t end_ = 0;      // of what was put
  uint64_t asked_ = 0;    // up to where writing to disk was begun
  uint64_t unasked_ = 0;  // bytes put since
};

}  // namespace manman::archive
