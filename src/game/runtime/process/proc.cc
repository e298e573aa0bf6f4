#include "game/runtime/process/proc.h"

#include <dirent.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <memory>
#include <sstream>

namespace manman::process {
namespace {

// linux/pidfd.h of kernel 6.9; older kernels answer EINVAL.
constexpr unsigned kSignalProcessGroup = 1U << 2;

std::optional<Status> parse_stat(pid_t pid, const std::string& line) {
  // The second field is the program's name in brackets and may hold blanks and brackets itself.
  const size_t name_end = line.rfind(')');
  if (name_end == std::string::npos) return std::nullopt;
  std::istringstream fields(line.substr(name_end + 1));
  Status status;
  status.identity.pid = pid;
  char state = '\0';
  fields >> state >> status.parent >> status.group >> status.session;
  std::string skipped;
  for (int field = 7; field <= 21; field++) fields >> skipped;
  fields >> status.identity.start_ticks;
  if (!fields) return std::nullopt;
  status.ended = state == 'Z' || state == 'X';
  return status;
}

Result<void> signal_failed(pid_t pid, int signal) {
  if (errno == ESRCH) return {};
  return fail_errno("send signal " + std::to_string(signal) + " to process " + std::to_string(pid),
                    errno);
}

long pidfd_send_signal(int fd, int signal, unsigned flags) {
  return ::syscall(SYS_pidfd_send_signal, fd, signal, nullptr, flags);
}

}  // namespace

std::optional<Status> status_of(pid_t pid) {
  // ESRCH from the read, too, when it ends between open and read.
  const auto line = read_file("/proc/" + std::to_string(pid) + "/stat");
  if (!line) return std::nullopt;
  return parse_stat(pid, *line);
}

std::optional<Status> status_of(const Identity& identity) {
  if (identity.pid <= 0) return std::nullopt;
  const auto status = status_of(identity.pid);
  if (!status || status->identity != identity) return std::nullopt;
  return status;
}

bool is_alive(const Identity& identity) {
  const auto status = status_of(identity);
  return status && !status->ended;
}

Result<std::vector<Status>> all_processes() {
  const std::unique_ptr<DIR, int (*)(DIR*)> proc(::opendir("/proc"), ::closedir);
  if (!proc) return fail_errno("read /proc", errno);
  std::vector<Status> all;
  while (const dirent* entry = ::readdir(proc.get())) {
    const std::string_view name = entry->d_name;
    pid_t pid = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (error != std::errc{} || end != name.data() + name.size()) continue;
    if (auto status = status_of(pid)) all.push_back(*status);
  }
  return all;
}

std::vector<Status> descendants_of(pid_t pid, const std::vector<Status>& all) {
  std::vector<Status> found;
  std::vector<pid_t> parents = {pid};
  while (!parents.empty()) {
    const pid_t parent = parents.back();
    parents.pop_back();
    for (const Status& status : all) {
      if (status.parent != parent || status.identity.pid == pid) continue;
      // A pid given anew while /proc was read could close a circle.
      if (found.size() >= all.size()) return found;
      found.push_back(status);
      parents.push_back(status.identity.pid);
    }
  }
  return found;
}

Result<std::string> boot_id() {
  std::string id = TRY(read_file("/proc/sys/kernel/random/boot_id"));
  while (!id.empty() && id.back() == '\n') id.pop_back();
  return id;
}

std::optional<UniqueFd> open_process(const Identity& identity) {
  UniqueFd fd(static_cast<int>(::syscall(SYS_pidfd_open, identity.pid, 0U)));
  // Looked at after the opening: what is there now is what the pidfd stands for.
  if (!fd || !status_of(identity)) return std::nullopt;
  return fd;
}

Result<void> send_signal(const Identity& identity, int signal) {
  const auto fd = open_process(identity);
  if (!fd || pidfd_send_signal(fd->get(), signal, 0) == 0) return {};
  return signal_failed(identity.pid, signal);
}

Result<void> send_group_signal(const Identity& leader, int signal) {
  const auto fd = open_process(leader);
  if (!fd || pidfd_send_signal(fd->get(), signal, kSignalProcessGroup) == 0) return {};
  if (errno == EINVAL && ::kill(-leader.pid, signal) == 0) return {};
  return signal_failed(leader.pid, signal);
}

}  // namespace manman::process
