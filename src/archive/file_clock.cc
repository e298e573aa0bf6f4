#include "archive/file_clock.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "base/file.h"

namespace manman::archive {

Result<timespec> file_clock_now(int folder) {
  struct stat info{};
  const UniqueFd nameless(::openat(folder, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600));
  if (nameless) {
    if (::fstat(nameless.get(), &info) != 0) return fail_errno("stat a temporary file", errno);
    return info.st_ctim;
  }
  // Not every file system can make a file without a name.
  const std::string name = ".manman-clock-" + std::to_string(::getpid());
  const UniqueFd named(
      ::openat(folder, name.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!named) return fail_errno("create a file to tell the time by", errno);
  ::unlinkat(folder, name.c_str(), 0);
  if (::fstat(named.get(), &info) != 0) return fail_errno("stat a temporary file", errno);
  return info.st_ctim;
}

bool before(const timespec& a, const timespec& b) {
  return a.tv_sec != b.tv_sec ? a.tv_sec < b.tv_sec : a.tv_nsec < b.tv_nsec;
}

}  // namespace manman::archive
