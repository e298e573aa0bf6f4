#include "base/writeback.h"

#include <fcntl.h>

namespace manman {
namespace {

constexpr uint64_t kRun = uint64_t{8} << 20;

}  // namespace

void Writeback::wrote(int fd, uint64_t bytes) {
  size_ += bytes;
  if (size_ - begun_ < kRun) return;
  forget(fd, forgotten_, begun_);
  (void)::sync_file_range(fd, static_cast<off_t>(begun_), static_cast<off_t>(size_ - begun_),
                          SYNC_FILE_RANGE_WRITE);
  begun_ = size_;
}

void Writeback::synced(int fd) {
  forget(fd, 0, size_);
}

void Writeback::forget(int fd, uint64_t begin, uint64_t end) {
  (void)::posix_fadvise(fd, static_cast<off_t>(begin), static_cast<off_t>(end - begin),
                        POSIX_FADV_DONTNEED);
  forgotten_ = end;
}

}  // namespace manman
