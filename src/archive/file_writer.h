#pragma once

#include <atomic>
#include <string>
#include <utility>

#include "archive/archive.h"
#include "archive/budget.h"
#include "archive/metadata.h"
#include "archive/target_tree.h"
#include "base/file.h"
#include "base/stream.h"

namespace manman::archive {

// Makes one file and writes its contents. Those of a large one go to the disk past the
// page cache where the file system can (O_DIRECT): they have to be on the disk before they count,
// and nothing that games have read is pushed out for them.
class FileWriter {
 public:
  // What stands in memory as it does in the file, up to this many bytes, needs not be copied.
  static constexpr size_t kAlignment = 4096;

  // Of a file that is still to be made.
  FileWriter(TargetTree::Place place, const Entry& entry, const Xattrs& xattrs, bool sparse,
             Budget& budget);
  // Of an empty one.
  FileWriter(UniqueFd fd, const Entry& entry, const Xattrs& xattrs, bool sparse, Budget& budget);

  // Before anything is written. A file or link that stands in its place is removed.
  Result<void> make(const Metadata& metadata);
  bool is_made() const { return static_cast<bool>(fd_); }
  const TargetTree::Place& place() const { return place_; }

  const std::string& path() const { return entry_.path; }
  uint64_t size_bytes() const { return entry_.size_bytes; }
  // Told of the contents in the pieces that come out of the archive, before they are cut for
  // writing: a run of zeros that is one of them counts against the budget.
  Result<void> take(ConstBytes contents);
  // Any order, and any number of threads at once. Of a sparse file, aligned blocks of zeros are
  // left out.
  Result<void> write(uint64_t offset, ConstBytes bytes);
  // Instead of any: see Extractor::share().
  bool share(int from);
  // Instead of any: finish() gives it the contents of another file, as share() would, or is
  // kUnimplemented.
  void share_at_end(UniqueFd from) { share_from_ = std::move(from); }
  // Once all is written: brings the file to its size and gives it its metadata.
  Result<void> finish(const Metadata& metadata);

 private:
  Result<void> put(uint64_t offset, ConstBytes bytes);
  Result<void> leave_direct();
  Result<void> put_all(uint64_t offset, ConstBytes bytes);

  void begin_direct();

  const TargetTree::Place place_;
  UniqueFd fd_;
  UniqueFd share_from_;
  const Entry entry_;
  const Xattrs xattrs_;
  const bool sparse_;
  Budget& budget_;
  std::atomic<bool> direct_ = false;
  std::atomic<uint64_t> put_ = 0;  // bytes since writing to disk was last begun
};

}  // namespace manman::archive
