#include "game/runtime/process/observe.h"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <csignal>

#include "game/runtime/process/launch.h"

namespace manman::process {
namespace {

Observation ended(GameState::Kind kind) {
  return {.state = {.kind = kind}};
}

Observation exited(const Exit& exit) {
  return {.state = {GameState::Kind::kExited, exit.exit_code, exit.signal}};
}

// Both numbers stay taken as long as one member is left, so no stranger can have the two.
Result<std::vector<Identity>> group_members(const Running& running) {
  std::vector<Identity> members;
  for (const Status& status : TRY(all_processes()))
    if (!status.ended && status.group == running.game.pid && status.session == running.wrapper.pid)
      members.push_back(status.identity);
  return members;
}

}  // namespace

Result<Observation> observe(const SessionFiles& files) {
  if (const auto exit = TRY(read_exit(files))) return exited(*exit);
  auto running = TRY(read_running(files));
  if (!running && TRY(is_locked(files))) {
    // A wrapper is about to start the game, or to find that its manman has gone.
    if (!TRY(settle(files)))
      return fail(Code::kUnavailable, "it is being started, and that does not come to an end");
    running = TRY(read_running(files));
  }
  if (!running) return ended(GameState::Kind::kNever);
  if (running->boot_id != TRY(boot_id())) return ended(GameState::Kind::kGone);

  Observation observation{.state = {.kind = GameState::Kind::kRunning}, .running = *running};
  observation.wrapper_lives = is_alive(running->wrapper);
  observation.leader_lives = is_alive(running->game);
  if (observation.wrapper_lives || observation.leader_lives) return observation;
  // The wrapper may have written this, as the last thing it did, since we looked.
  if (const auto exit = TRY(read_exit(files))) return exited(*exit);
  observation.orphans = TRY(group_members(*running));
  if (!observation.orphans.empty()) return observation;
  // Nor is it there when the program could not be executed.
  return ended(TRY(read_running(files)) ? GameState::Kind::kGone : GameState::Kind::kNever);
}

Result<void> wait_for_change(const Observation& observation,
                             std::chrono::steady_clock::time_point deadline) {
  // The wrapper ends last, when it has written how the game ended.
  Identity awaited = observation.running.wrapper;
  if (!observation.wrapper_lives) awaited = observation.running.game;
  if (!observation.orphans.empty()) awaited = observation.orphans.front();
  const auto process = open_process(awaited);
  if (!process) return {};
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
  pollfd waiting{process->get(), POLLIN, 0};
  const int64_t ms = std::clamp<int64_t>(left.count(), 0, INT_MAX);
  if (::poll(&waiting, 1, static_cast<int>(ms)) < 0 && errno != EINTR)
    return fail_errno("wait for process " + std::to_string(awaited.pid), errno);
  return {};
}

Result<void> signal_game(const Observation& observation, int signal) {
  if (observation.state.kind != GameState::Kind::kRunning) return {};
  TRY(send_group_signal(observation.running.game, signal));
  for (const Identity& orphan : observation.orphans) TRY(send_signal(orphan, signal));
  return {};
}

Result<void> kill_game(const Observation& observation) {
  TRY(signal_game(observation, SIGKILL));
  if (!observation.wrapper_lives) return {};
  const auto all = TRY(all_processes());
  for (const Status& status : descendants_of(observation.running.wrapper.pid, all))
    TRY(send_signal(status.identity, SIGKILL));
  return {};
}

}  // namespace manman::process
