#include "archive/file_writer.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "archive/bytes.h"
#include "archive/format.h"

namespace manman::archive {
namespace {

constexpr uint64_t kWriteback = uint64_t{1} << 20;
constexpr uint64_t kDirect = uint64_t{256} << 10;

}  // namespace

FileWriter::FileWriter(UniqueFd fd, const Entry& entry, const Xattrs& xattrs, bool sparse,
                       Budget& budget)
    : fd_(std::move(fd)), entry_(entry), xattrs_(xattrs), sparse_(sparse), budget_(budget) {
  begin_direct();
}

FileWriter::FileWriter(TargetTree::Place place, const Entry& entry, const Xattrs& xattrs,
                       bool sparse, Budget& budget)
    : place_(std::move(place)), entry_(entry), xattrs_(xattrs), sparse_(sparse), budget_(budget) {}

Result<void> FileWriter::make(const Metadata& metadata) {
  const auto open = [&] {
    return UniqueFd(::openat(place_.folder(), place_.name.c_str(),
                             O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC,
                             metadata.first_mode(entry_, xattrs_)));
  };
  fd_ = open();
  if (!fd_ && errno == EEXIST) {
    TRY(TargetTree::clear(place_, entry_.path));
    fd_ = open();
  }
  if (!fd_) return fail_errno("create " + entry_.path, errno);
  begin_direct();
  return {};
}

void FileWriter::begin_direct() {
  direct_ = !sparse_ && entry_.size_bytes >= kDirect && ::fcntl(fd_.get(), F_SETFL, O_DIRECT) == 0;
}

Result<void> FileWriter::take(ConstBytes contents) {
  if (sparse_ || contents.size() <= format::kMaxUnmarkedZeros || !all_zero(contents)) return {};
  return budget_.take_zeros(contents.size());
}

Result<void> FileWriter::put(uint64_t offset, ConstBytes bytes) {
  TRY(budget_.take(bytes.size()));
  const size_t whole = bytes.size() / kAlignment * kAlignment;
  const bool to_the_end = offset + bytes.size() == entry_.size_bytes;
  // A page is never written both ways: what one of them wrote of it could get lost.
  const bool pages = offset % kAlignment == 0 && (whole == bytes.size() || to_the_end);
  if (!pages && direct_) TRY(leave_direct());
  if (direct_) {
    TRY(put_all(offset, bytes.first(whole)));
    if (whole == bytes.size()) return {};
    // The file is cut to its size in the end.
    alignas(kAlignment) std::array<std::byte, kAlignment> last{};
    std::ranges::copy(bytes.subspan(whole), last.begin());
    return put_all(offset + whole, last);
  }
  const uint64_t put = put_ += bytes.size();
  TRY(put_all(offset, bytes));
  // Asks the kernel to begin writing to disk, so that little is left for the sync that makes all of
  // it durable. Where it can't, that sync does it all.
  if (put >= kWriteback) {
    put_ = 0;
    (void)::sync_file_range(fd_.get(), 0, 0, SYNC_FILE_RANGE_WRITE);
  }
  return {};
}

Result<void> FileWriter::leave_direct() {
  const int flags = ::fcntl(fd_.get(), F_GETFL);
  if (flags < 0) return fail_errno("look at " + entry_.path, errno);
  if (::fcntl(fd_.get(), F_SETFL, flags & ~O_DIRECT) != 0)
    return fail_errno("write " + entry_.path, errno);
  direct_ = false;
  return {};
}

Result<void> FileWriter::put_all(uint64_t offset, ConstBytes bytes) {
  bool surely_not_direct = false;  // another thread may have left it since this one's write began
  while (!bytes.empty()) {
    const ssize_t count =
        ::pwrite(fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    // Not aligned as this file system wants it.
    if (count < 0 && errno == EINVAL && !surely_not_direct) {
      TRY(leave_direct());
      surely_not_direct = true;
      continue;
    }
    if (count <= 0) return fail_errno("write " + entry_.path, count < 0 ? errno : ENOSPC);
    bytes = bytes.subspan(static_cast<size_t>(count));
    offset += static_cast<uint64_t>(count);
  }
  return {};
}

Result<void> FileWriter::write(uint64_t offset, ConstBytes bytes) {
  if (!sparse_) return put(offset, bytes);
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
  if (share_from_ && !share(share_from_.get()))
    return fail(Code::kUnimplemented,
                entry_.path + ": the file system can't share its blocks with a copy");
  share_from_.reset();
  struct stat info{};
  if (::fstat(fd_.get(), &info) != 0) return fail_errno("stat " + entry_.path, errno);
  if (static_cast<uint64_t>(info.st_size) != entry_.size_bytes &&
      ::ftruncate(fd_.get(), static_cast<off_t>(entry_.size_bytes)) != 0)
    return fail_errno("set the size of " + entry_.path, errno);
  return metadata.set(fd_.get(), info, entry_, xattrs_);
}

}  // namespace manman::archive
