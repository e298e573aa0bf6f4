#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/file.h"

// Processes of this machine, told apart from later ones that were given the same pid.
namespace manman::process {

// A pid means one process only together with its start, in clock ticks since the boot.
struct Identity {
  pid_t pid = 0;
  uint64_t start_ticks = 0;
  bool operator==(const Identity&) const = default;
};

// A line of /proc/PID/stat.
struct Status {
  Identity identity;
  pid_t parent = 0;
  pid_t group = 0;
  pid_t session = 0;
  bool ended = false;  // a zombie: its parent has not asked for its exit code yet
};

// Nothing when there is no such process.
std::optional<Status> status_of(pid_t pid);
// Nothing when that process is gone, whoever has its pid now.
std::optional<Status> status_of(const Identity& identity);
bool is_alive(const Identity& identity);  // there, and no zombie

// All processes now, zombies among them.
Result<std::vector<Status>> all_processes();
// Children, their children, and so on.
std::vector<Status> descendants_of(pid_t pid, const std::vector<Status>& all);

// Differs after every boot of the machine.
Result<std::string> boot_id();

// A pidfd of exactly this process; nothing when it is gone. Readable once the process has ended.
std::optional<UniqueFd> open_process(const Identity& identity);

// Success also when there is nobody to signal any more.
Result<void> send_signal(const Identity& identity, int signal);
// To the process group that `leader` leads; it may be a zombie.
Result<void> send_group_signal(const Identity& leader, int signal);

}  // namespace manman::process
