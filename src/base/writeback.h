#pragma once

#include <cstdint>

namespace manman {

// For a file that is written from its beginning to its end: hands what was written to the disk in
// runs of 8 MiB, so that the fsync at the end is short and does not stall the games that write to
// the same disk. What has reached it by the next run leaves the page cache, which is the games'.
// All of it is only a wish: what fails here fails again, and is seen, in fsync.
class Writeback {
 public:
  // So many bytes more stand at the file's end.
  void wrote(int fd, uint64_t bytes);
  // All of the file is on the disk.
  void synced(int fd);

 private:
  void forget(int fd, uint64_t begin, uint64_t end);

  uint64_t size_ = 0;
  uint64_t begun_ = 0;      // up to where writing to disk was begun
  uint64_t forgotten_ = 0;  // up to where pages were dropped
};

}  // namespace manman
