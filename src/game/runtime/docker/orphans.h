#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <set>

#include "base/log.h"
#include "game/runtime/docker/container_spec.h"

namespace manman::docker {

// Removes the containers of this host manager that no session needs any more. Not thread-safe.
class Orphans {
 public:
  // What keeps, of a container that has ended, its output and how it ended.
  using Keep = std::function<Result<void>(const GameInstance&)>;

  Orphans(const DockerConfig& config, Engine& engine, Keep keep)
      : config_(config), engine_(engine), keep_(std::move(keep)) {}

  // One look at them: who has been an orphan for `grace` is asked to end if it runs, killed when
  // that does not help, and removed. Waits for none of it; the next look goes on.
  Result<void> reap(const std::set<int64_t>& live, std::chrono::milliseconds grace);

 private:
  using Clock = std::chrono::steady_clock;
  struct Orphan {
    Clock::time_point since;
    std::optional<Clock::time_point> asked_to_end;
  };

  Result<void> take_care_of(const Container& container, const GameInstance& game, Orphan& orphan);
  Result<void> end(const Container& container, const ContainerState& state, const About& about,
                   Orphan& orphan);

  const DockerConfig& config_;
  Engine& engine_;
  Keep keep_;
  std::map<std::string, Orphan> orphans_;  // by the container's id
};

}  // namespace manman::docker
