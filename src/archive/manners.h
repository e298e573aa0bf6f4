#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <string>
#include <vector>

#include "archive/archive.h"

// What a reading of save data does so that a game beside it does not notice.
namespace manman::archive {

// Fills buffer from an offset of an open file, named in errors, as the options want it read. What
// the file no longer has is zeros; false then.
Result<bool> read_or_zeros(int fd, uint64_t offset, MutableBytes buffer, const std::string& name,
                           const PackOptions& options);

// Whether a file was written to between two looks at it.
bool has_changed(const struct stat& before, const struct stat& now);

// Gives the calling thread alone the idle class of I/O, a low weight of CPU and SCHED_BATCH. Where
// the system does not allow one of them, the thread goes on without.
void give_way();

// Leaves a range of an open file in the page cache as it was: made before the range is read, it
// looks which pages are there and keeps the kernel from reading further; destroyed after, it drops
// those that were not. Pages that somebody else brought in meanwhile may go with them, those that a
// program has mapped stay. Does nothing about files whose pages the user may not know of.
class PageGuard {
 public:
  PageGuard(int fd, uint64_t offset, uint64_t size);
  PageGuard(const PageGuard&) = delete;
  PageGuard& operator=(const PageGuard&) = delete;
  ~PageGuard();

 private:
  const int fd_;
  uint64_t begin_ = 0;                   // of the first page
  std::vector<unsigned char> resident_;  // lowest bit: the page was there
};

}  // namespace manman::archive
