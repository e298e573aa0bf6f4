#include "game/runtime/docker/orphans.h"

namespace manman::docker {
namespace {

constexpr std::chrono::seconds kEndPatience{60};  // to save a world

}  // namespace

Result<void> Orphans::reap(const std::set<int64_t>& live, std::chrono::milliseconds grace) {
  const auto now = Clock::now();
  std::map<std::string, Orphan> before;
  before.swap(orphans_);
  for (const Container& container : TRY(engine_.list(host_labels(config_)))) {
    const auto game = instance_of(config_, container.labels);
    if (!game || live.contains(game->session_id)) continue;
    const auto known = before.find(container.id);
    Orphan& orphan = orphans_[container.id] =
        known == before.end() ? Orphan{now, std::nullopt} : known->second;
    if (now - orphan.since < grace) continue;
    if (auto done = take_care_of(container, *game, orphan); !done)
      log_warn({.session_id = game->session_id, .sgc_id = game->sgc_id},
               "container {}, which no session needs: {}", container.id, done.error().message);
  }
  return {};
}

Result<void> Orphans::take_care_of(const Container& container, const GameInstance& game,
                                   Orphan& orphan) {
  const About about{.session_id = game.session_id, .sgc_id = game.sgc_id};
  const auto state = TRY(engine_.inspect(container.id));
  if (!state) return {};
  if (state->running) return end(container, *state, about, orphan);
  if (state->started) TRY(keep_(game));
  TRY(engine_.remove(container.id));
  log_info(about, "removed container {}, which no session needs", container.id);
  return {};
}

Result<void> Orphans::end(const Container& container, const ContainerState& state,
                          const About& about, Orphan& orphan) {
  const auto now = Clock::now();
  if (!orphan.asked_to_end) {
    log_warn(about, "container {} runs and belongs to no session; it is asked to end",
             container.id);
    orphan.asked_to_end = now;
    return engine_.kill(container.id, state.stop_signal);
  }
  if (now - *orphan.asked_to_end < kEndPatience) return {};
  log_warn(about, "container {} does not end and is killed", container.id);
  return engine_.kill(container.id, "SIGKILL");
}

}  // namespace manman::docker
