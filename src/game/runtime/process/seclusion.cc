#include "game/runtime/process/seclusion.h"

#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <string>

#include "base/file.h"

namespace manman::process {
namespace fs = std::filesystem;
namespace {

constexpr int kNamespaces = CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWPID;
constexpr const char* kSharedMemory = "/dev/shm";

bool is_there(const fs::path& path) {
  struct stat info{};
  return !path.empty() && ::stat(path.c_str(), &info) == 0;
}

bool is_below(const fs::path& path, const fs::path& folder) {
  return std::ranges::mismatch(folder, path).in1 == folder.end();
}

Result<void> write_proc(const char* path, const std::string& text) {
  const UniqueFd fd(::open(path, O_WRONLY | O_CLOEXEC));
  if (!fd) return fail_errno(std::string("open ") + path, errno);
  return write_all(fd.get(), as_bytes(text), path);
}

// In a user namespace everyone may make the others. Outside it, it is who it was.
Result<void> leave_as_user() {
  const std::string user = std::to_string(::geteuid());
  const std::string group = std::to_string(::getegid());
  if (::unshare(kNamespaces | CLONE_NEWUSER) != 0)
    return fail_errno("make a user and a network namespace", errno);
  TRY(write_proc("/proc/self/setgroups", "deny"));
  TRY(write_proc("/proc/self/uid_map", user + " " + user + " 1"));
  return write_proc("/proc/self/gid_map", group + " " + group + " 1");
}

Result<void> leave() {
  if (::unshare(kNamespaces) == 0) return {};
  if (errno != EPERM) return fail_errno("make a network namespace", errno);
  return leave_as_user();
}

Result<void> bring_loopback_up() {
  const UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket) return fail_errno("make a socket", errno);
  ifreq request{};
  std::strcpy(request.ifr_name, "lo");
  if (::ioctl(socket.get(), SIOCGIFFLAGS, &request) != 0)
    return fail_errno("look at the loopback", errno);
  request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP);
  if (::ioctl(socket.get(), SIOCSIFFLAGS, &request) != 0)
    return fail_errno("bring the loopback up", errno);
  return {};
}

// A game that is told to listen on an address of the machine's can do so, though it is not there.
// Where /proc/sys can't be written to, it can't.
void take_any_address() {
  (void)write_proc("/proc/sys/net/ipv4/ip_nonlocal_bind", "1");
  (void)write_proc("/proc/sys/net/ipv6/ip_nonlocal_bind", "1");
}

Result<void> bind(const fs::path& source, const fs::path& target) {
  if (::mount(source.c_str(), target.c_str(), nullptr, MS_BIND | MS_REC, nullptr) == 0) return {};
  return fail_errno("mount " + source.string() + " at " + target.string(), errno);
}

Result<void> set_read_only(const fs::path& path, bool read_only) {
  mount_attr change{};
  (read_only ? change.attr_set : change.attr_clr) = MOUNT_ATTR_RDONLY;
  if (::syscall(SYS_mount_setattr, AT_FDCWD, path.c_str(), AT_RECURSIVE, &change, sizeof change) ==
      0)
    return {};
  return fail_errno("make " + path.string() + (read_only ? " read-only" : " writable"), errno);
}

Result<void> arrange_mounts(const Apart& apart, const fs::path& own) {
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
    return fail_errno("make the mounts its own", errno);
  if (is_there(kSharedMemory) && !is_below(own, kSharedMemory) &&
      ::mount("tmpfs", kSharedMemory, "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777") != 0)
    return fail_errno(std::string("mount ") + kSharedMemory, errno);
  for (const fs::path& path : apart.read_only) {
    if (!is_there(path)) continue;
    TRY(bind(path, path));
    TRY(set_read_only(path, true));
  }
  TRY(bind(own, own));
  TRY(set_read_only(own, false));
  return is_there(apart.stands_for) ? bind(own, apart.stands_for) : Result<void>();
}

// What ends the game comes to its whole process group; this ends when the game has.
[[noreturn]] void stand_by(pid_t child) {
  for (int signal = 1; signal < NSIG; signal++)
    if (signal != SIGCHLD) ::signal(signal, SIG_IGN);
  ::close_range(3, ~0U, 0);  // others wait for the end of what these lead to
  for (;;) {
    int status = 0;
    const pid_t ended = ::waitpid(-1, &status, 0);
    if (ended == child) ::_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    if (ended < 0 && errno != EINTR) ::_exit(127);
  }
}

}  // namespace

Result<void> go_on_inside() {
  const pid_t first = ::fork();
  if (first < 0) return fail_errno("fork", errno);
  if (first > 0) stand_by(first);
  // The first of a namespace, whose end ends all others in it.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  // Where parts of /proc are hidden, as in a container, it can't be mounted; the one that is there
  // shows processes that can't be reached.
  (void)::mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr);
  const pid_t game = ::fork();
  if (game < 0) return fail_errno("fork", errno);
  if (game > 0) stand_by(game);
  return {};
}

Result<void> seclude(const Apart& apart, const fs::path& own) {
  TRY(leave());
  TRY(bring_loopback_up());
  take_any_address();
  return arrange_mounts(apart, own);
}

}  // namespace manman::process
