#include "game/runtime/process/leftovers.h"

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "game/runtime/process/proc.h"

namespace manman::process {
namespace {

using Clock = std::chrono::steady_clock;

// The living descendants but the game's leader; those that have ended are reaped.
Result<std::vector<Identity>> living(pid_t game) {
  std::vector<Identity> found;
  const auto all = TRY(all_processes());
  for (const Status& status : descendants_of(::getpid(), all)) {
    if (status.identity.pid == game) continue;
    if (!status.ended) found.push_back(status.identity);
    if (status.ended && status.parent == ::getpid())
      ::waitpid(status.identity.pid, nullptr, WNOHANG);
  }
  return found;
}

Result<void> signal_all(pid_t game, const std::vector<Identity>& processes, int signal) {
  // By the group first: a process that forks meanwhile can't slip through.
  if (::kill(-game, signal) != 0 && errno != ESRCH && errno != EPERM)
    return fail_errno("signal the game's process group", errno);
  for (const Identity& process : processes) TRY(send_signal(process, signal));
  return {};
}

void wait_for_end(const Identity& process, Clock::time_point until) {
  const auto fd = open_process(process);
  if (!fd) return;
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now());
  pollfd waiting{fd->get(), POLLIN, 0};
  ::poll(&waiting, 1, left.count() > 0 ? static_cast<int>(left.count()) + 1 : 0);
}

}  // namespace

Result<void> end_leftovers(pid_t game, std::chrono::milliseconds grace) {
  const auto deadline = Clock::now() + grace;
  bool asked = false;
  for (;;) {
    const auto processes = TRY(living(game));
    if (processes.empty()) return {};
    const bool late = Clock::now() >= deadline;
    if (late || !asked) TRY(signal_all(game, processes, late ? SIGKILL : SIGTERM));
    asked = true;
    // After SIGKILL a process in an uninterruptible wait may take its time; look again.
    wait_for_end(processes.front(), late ? Clock::now() + std::chrono::seconds(1) : deadline);
  }
}

}  // namespace manman::process
