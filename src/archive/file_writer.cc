#include "archive/file_writer.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "archive/bytes.h"
#include "archive/format.h"

namespace manman::archive {
namespace {

constexpr uint64_t kWriteback = uint64_t{1} << 20;

}  // namespace

Result<void> FileWriter::put(uint64_t offset, ConstBytes bytes) {
  TRY(budget_.take(bytes.size()));
  unasked_ += bytes.size();
  while (!bytes.empty()) {
    const ssize_t count =
        ::pwrite(fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail_errno("write " + entry_.path, errno);
    bytes = bytes.subspan(static_cast<size_t>(count));
    offset += static_cast<uint64_t>(count);
  }
  end_ = offset;
  if (unasked_ >= kWriteback) begin_writeback();
  return {};
}

// Asks the kernel to begin writing to disk what was put since it was asked last, so that little is
// left for the sync that makes all of it durable. Where it can't, that sync does it all.
void FileWriter::begin_writeback() {
  (void)::sync_file_range(fd_.get(), static_cast<off_t>(asked_), static_cast<off_t>(end_ - asked_),
                          SYNC_FILE_RANGE_WRITE);
  asked_ = end_;
  unasked_ = 0;
}

Result<void> FileWriter::write(uint64_t offset, ConstBytes bytes) {
  if (!sparse_) {
    if (bytes.size() > format::kMaxUnmarkedZeros && all_zero(bytes))
      TRY(budget_.take_zeros(bytes.size()));
    return put(offset, bytes);
  }
  // Runs of blocks that are not zero are written together. Cut at multiples of the block, so that
  // the result doesn't depend on how the bytes come in pieces, but for blocks that are split.
  size_t run = 0;
  size_t at = 0;
  while (at < bytes.size()) {
    const size_t to_edge = format::kSparseBlock - (offset + at) % format::kSparseBlock;
    const size_t size = std::min(to_edge, bytes.size() - at);
    if (all_zero(bytes.subspan(at, size))) {
      if (at > run) TRY(put(offset + run, bytes.subspan(run, at - run)));
      run = at + size;
    }
    at += size;
  }
  if (at > run) TRY(put(offset + run, bytes.subspan(run, at - run)));
  return {};
}

bool FileWriter::share(int from) {
  return ::ioctl(fd_.get(), FICLONE, from) == 0;
}

Result<void> FileWriter::finish(const Metadata& metadata) {
  if (end_ < entry_.size_bytes &&
      ::ftruncate(fd_.get(), static_cast<off_t>(entry_.size_bytes)) != 0)
    return fail_errno("set the size of " + entry_.path, errno);
  return metadata.set(fd_.get(), entry_, xattrs_);
}

}  // namespace manman::archive
