#include "store/folder/beneath.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace manman::beneath {
namespace {

constexpr int kDirFlags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;

int openat2(int dir, const std::string& path, int flags) {
  open_how how{};
  how.flags = static_cast<uint64_t>(flags);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  // EAGAIN: a rename elsewhere kept the kernel from being sure that the path stayed below.
  for (int tried = 0;; tried++) {
    const long fd = ::syscall(SYS_openat2, dir, path.c_str(), &how, sizeof how);
    if (fd >= 0) return static_cast<int>(fd);
    if ((errno != EAGAIN && errno != EINTR) || tried >= 100) return -1;
  }
}

// Opens the folder `name` directly in `parent`, made when it is not there.
Result<UniqueFd> step(int parent, const std::string& name, std::string_view what) {
  const bool made = ::mkdirat(parent, name.c_str(), 0755) == 0;
  if (!made && errno != EEXIST) return fail_errno("create folder " + std::string(what), errno);
  if (made && ::fsync(parent) != 0) return fail_errno("fsync above " + std::string(what), errno);
  return open(parent, name, kDirFlags, what);
}

}  // namespace

Result<UniqueFd> open(int dir, std::string_view path, int flags, std::string_view what) {
  UniqueFd fd(openat2(dir, std::string(path), flags | O_CLOEXEC));
  if (fd) return fd;
  const int error_number = errno;
  if (error_number == ELOOP)
    return fail(Code::kFailedPrecondition,
                "open " + std::string(what) + ": there is a symlink in it, which is not followed");
  Error error = errno_error("open " + std::string(what), error_number);
  if (error_number == ENOTDIR) error.code = Code::kNotFound;
  return std::unexpected(std::move(error));
}

Result<UniqueFd> open_dir(int dir, std::string_view path, bool make, std::string_view what) {
  if (!make || path.empty()) return open(dir, path.empty() ? "." : path, kDirFlags, what);
  UniqueFd level(TRY(open(dir, ".", kDirFlags, what)));
  for (size_t begin = 0; begin <= path.size();) {
    const size_t end = std::min(path.find('/', begin), path.size());
    level = TRY(step(level.get(), std::string(path.substr(begin, end - begin)), what));
    begin = end + 1;
  }
  return level;
}

Split split(std::string_view key) {
  const size_t slash = key.rfind('/');
  if (slash == std::string_view::npos) return {"", key};
  return {key.substr(0, slash), key.substr(slash + 1)};
}

}  // namespace manman::beneath
