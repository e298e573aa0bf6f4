#include "host/hold.h"

#include "base/failpoint.h"

namespace manman::host {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Beyond what the quiesce itself may take: the guard is for a host that stands still or is gone.
constexpr milliseconds kGuardGrace{10'000};

milliseconds max_pause_of(const Context& context, const Handling& handling) {
  return handling.max_pause_seconds > 0 ? milliseconds(seconds(handling.max_pause_seconds))
                                        : context.config.max_pause;
}

QuiescePlan plan_of(const Context& context, const Handling& handling) {
  QuiescePlan plan;
  for (const QuiesceStep& step : handling.quiesce)
    plan.quiesce.push_back({step.input, step.confirm_regex, seconds(step.timeout_seconds),
                            milliseconds(step.repeat_ms), step.lists_files});
  plan.resume = handling.resume;
  plan.max_pause = max_pause_of(context, handling);
  plan.go_on_unconfirmed = handling.unconfirmed == Unconfirmed::kGoOn;
  return plan;
}

// A container's port is reached by the machine's that leads to it.
int reachable_port(const GameLaunch& launch) {
  const int port = launch.handling.rcon.port;
  if (launch.image.empty()) return port;
  for (const PortBinding& binding : launch.port_bindings) {
    if (binding.container_port == port && binding.protocol == "TCP") return binding.host_port;
  }
  return port;
}

RconPlace rcon_place(const Context& context, const GameLaunch& launch) {
  if (launch.handling.rcon.port == 0) return {};
  return {.port = reachable_port(launch),
          .secret = context.config.data_dir / "secrets" / launch.handling.rcon.secret};
}

// Without a guard a host that dies leaves the game quiesced until its next start. That is no reason
// to have no backup.
std::optional<ResumeGuard> start_guard(Context& context, Job& job, const GameInstance& game,
                                       const GameLaunch& launch, const QuiescePlan& plan) {
  if (context.config.guard_program.empty()) return std::nullopt;
  GuardedGame guarded{.game = game,
                      .resume = plan.resume,
                      .rcon = rcon_place(context, launch),
                      .limit = plan.max_pause + kGuardGrace};
  for (const ConsoleStep& step : plan.quiesce) guarded.limit += step.timeout;
  auto guard = ResumeGuard::start(context.config.guard_program, guarded);
  if (guard) return std::move(*guard);
  log_warn(job.about, "{}", guard.error().message);
  return std::nullopt;
}

}  // namespace

Result<std::unique_ptr<Console>> console_of(Context& context, const GameInstance& game,
                                            const GameLaunch& launch) {
  return open_console(context.runtime, game, rcon_place(context, launch));
}

Result<Quiesced> hold_still(Context& context, Job& job, const GameInstance& game,
                            const GameLaunch& launch) {
  if (launch.handling.quiesce.empty()) return Quiesced();
  const QuiescePlan plan = plan_of(context, launch.handling);
  auto guard = start_guard(context, job, game, launch, plan);
  auto console = console_of(context, game, launch);
  TRY(failpoint::pass("backup.guarded"));
  auto quiesced = console ? quiesce(std::move(*console), plan, job.cancelled(), std::move(guard))
                          : Result<Quiesced>(std::unexpected(console.error()));
  if (!quiesced) {
    const auto state = context.runtime.state(game);
    if (!state || state->kind == GameState::Kind::kRunning)
      return std::unexpected(std::move(quiesced).error().in("quiesce the game"));
    log_info(job.about, "the game ended while it was asked to save; its data is at rest");
    return Quiesced();
  }
  TRY(failpoint::pass("backup.quiesced"));
  return quiesced;
}

}  // namespace manman::host
