#include <fcntl.h>
#include <sys/stat.h>

#include <atomic>
#include <cstdarg>
#include <string_view>

#include "fuzz/arena.h"
#include "fuzz/check.h"

// The linker leads the calls of the program here (-Wl,--wrap=NAME) and those of this file on to
// the C library. By them nothing outside is reached: what is named is one part, so it stands in the
// folder that the descriptor means, and no link is followed out of there.
namespace manman::archive::fuzz {
namespace {

std::atomic<bool> watching{false};

void check_name(int folder, const char* name) {
  if (!watching) return;
  const std::string_view text(name);
  CHECK(folder != AT_FDCWD);
  CHECK(!text.empty() && text != ".." && text.find('/') == std::string_view::npos);
}

}  // namespace

WatchCalls::WatchCalls() {
  watching = true;
}
WatchCalls::~WatchCalls() {
  watching = false;
}

}  // namespace manman::archive::fuzz

using manman::archive::fuzz::check_name;
using manman::archive::fuzz::watching;

extern "C" {

int __real_openat(int folder, const char* name, int flags, mode_t mode);
int __wrap_openat(int folder, const char* name, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(more, mode_t) : 0;
  va_end(more);
  check_name(folder, name);
  const bool nameless = (flags & O_TMPFILE) == O_TMPFILE;
  CHECK(!watching || nameless || (flags & O_NOFOLLOW) != 0);
  return __real_openat(folder, name, flags, mode);
}

int __real_mkdirat(int folder, const char* name, mode_t mode);
int __wrap_mkdirat(int folder, const char* name, mode_t mode) {
  check_name(folder, name);
  return __real_mkdirat(folder, name, mode);
}

int __real_symlinkat(const char* target, int folder, const char* name);
int __wrap_symlinkat(const char* target, int folder, const char* name) {
  check_name(folder, name);
  return __real_symlinkat(target, folder, name);
}

int __real_linkat(int from, const char* name, int to, const char* other, int flags);
int __wrap_linkat(int from, const char* name, int to, const char* other, int flags) {
  check_name(from, name);
  check_name(to, other);
  CHECK(!watching || flags == 0);
  return __real_linkat(from, name, to, other, flags);
}

int __real_unlinkat(int folder, const char* name, int flags);
int __wrap_unlinkat(int folder, const char* name, int flags) {
  check_name(folder, name);
  return __real_unlinkat(folder, name, flags);
}

int __real_fchownat(int folder, const char* name, uid_t user, gid_t group, int flags);
int __wrap_fchownat(int folder, const char* name, uid_t user, gid_t group, int flags) {
  check_name(folder, name);
  CHECK(!watching || flags == AT_SYMLINK_NOFOLLOW);
  return __real_fchownat(folder, name, user, group, flags);
}

int __real_utimensat(int folder, const char* name, const timespec times[2], int flags);
int __wrap_utimensat(int folder, const char* name, const timespec times[2], int flags) {
  check_name(folder, name);
  CHECK(!watching || flags == AT_SYMLINK_NOFOLLOW);
  return __real_utimensat(folder, name, times, flags);
}

// Calls by whole paths have no place while an archive is unpacked.
#define MANMAN_NEVER(result, name, parameters, arguments) \
  result __real_##name parameters;                        \
  result __wrap_##name parameters {                       \
    CHECK(!watching);                                     \
    return __real_##name arguments;                       \
  }
MANMAN_NEVER(int, mkdir, (const char* path, mode_t mode), (path, mode))
MANMAN_NEVER(int, unlink, (const char* path), (path))
MANMAN_NEVER(int, rmdir, (const char* path), (path))
MANMAN_NEVER(int, rename, (const char* from, const char* to), (from, to))
MANMAN_NEVER(int, link, (const char* from, const char* to), (from, to))
MANMAN_NEVER(int, symlink, (const char* target, const char* path), (target, path))
MANMAN_NEVER(int, chmod, (const char* path, mode_t mode), (path, mode))
MANMAN_NEVER(int, chown, (const char* path, uid_t user, gid_t group), (path, user, group))
#undef MANMAN_NEVER
}
