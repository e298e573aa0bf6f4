#include "live/scratch.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

#include "base/log.h"
#include "base/unique_name.h"

namespace manman::live {
namespace {

constexpr size_t kStep = size_t{8} << 20;    // between two looks at `stop`
constexpr size_t kBuffer = size_t{1} << 20;  // where the kernel can't copy by itself

Result<ssize_t> copy_by_buffer(int from, int to, off_t at, size_t size, const std::string& what) {
  std::vector<std::byte> buffer(std::min(size, kBuffer));
  const ssize_t count = ::pread(from, buffer.data(), buffer.size(), at);
  if (count < 0) return fail_errno("read " + what, errno);
  for (ssize_t done = 0; done < count;) {
    const ssize_t put =
        ::pwrite(to, buffer.data() + done, static_cast<size_t>(count - done), at + done);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return fail_errno("write a copy of " + what, errno);
    done += put;
  }
  return count;
}

}  // namespace

Scratch::Scratch(std::filesystem::path path, UniqueFd folder)
    : path_(std::move(path)), folder_(std::move(folder)) {}

Result<std::unique_ptr<Scratch>> Scratch::make(const std::filesystem::path& dir) {
  if (::mkdir(dir.c_str(), 0700) != 0 && errno != EEXIST)
    return fail_errno("create folder " + dir.string(), errno);
  UniqueFd folder(::open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!folder) return fail_errno("open folder " + dir.string(), errno);
  return std::unique_ptr<Scratch>(new Scratch(dir, std::move(folder)));
}

Scratch::~Scratch() {
  if (kept_) return;
  folder_.reset();
  if (const auto removed = remove_tree(path_); !removed) log_warn({}, "{}", removed.error().text());
}

Result<UniqueFd> Scratch::nameless_file() const {
  constexpr int kFlags = O_RDWR | O_CLOEXEC;
  UniqueFd file(::openat(folder(), ".", O_TMPFILE | kFlags, 0600));
  if (file) return file;
  // Not every file system can make a file without a name.
  const std::string name = "file-" + unique_name();
  file = UniqueFd(::openat(folder(), name.c_str(), O_CREAT | O_EXCL | kFlags, 0600));
  if (!file) return fail_errno("create a file in " + path_.string(), errno);
  ::unlinkat(folder(), name.c_str(), 0);
  return file;
}

Result<void> Scratch::check_room(uint64_t bytes, const std::string& what) const {
  struct statvfs facts{};
  if (::fstatvfs(folder(), &facts) != 0) return fail_errno("look at " + path_.string(), errno);
  const uint64_t free = uint64_t{facts.f_bavail} * facts.f_frsize;
  if (free >= bytes) return {};
  return fail(Code::kResourceExhausted, "copying " + what + " takes " + std::to_string(bytes) +
                                            " bytes in " + path_.string() + ", where " +
                                            std::to_string(free) + " are free; " +
                                            std::to_string(bytes - free) + " are missing");
}

bool clone_file(int from, int to) {
  return ::ioctl(to, FICLONE, from) == 0;
}

Result<void> copy_bytes(int from, int to, uint64_t size, const std::function<bool()>& stop,
                        const std::string& what) {
  bool by_kernel = true;
  for (off_t at = 0; static_cast<uint64_t>(at) < size;) {
    if (stop && stop()) return fail(Code::kCancelled, "cancelled");
    const size_t step = std::min<uint64_t>(kStep, size - static_cast<uint64_t>(at));
    off_t in = at;
    off_t out = at;
    ssize_t count = by_kernel ? ::copy_file_range(from, &in, to, &out, step, 0) : 0;
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == ENOSPC) return fail_errno("write a copy of " + what, errno);
    if (count < 0) by_kernel = false;
    if (!by_kernel) count = TRY(copy_by_buffer(from, to, at, step, what));
    if (count == 0) break;
    at += count;
  }
  return {};
}

}  // namespace manman::live
