#pragma once

#include <chrono>
#include <vector>

#include "game/runtime/process/session_files.h"
#include "game/runtime/runtime.h"

namespace manman::process {

// A game as its files and processes show it now.
struct Observation {
  GameState state;
  // The rest only when it runs.
  Running running;
  bool wrapper_lives = false;
  bool leader_lives = false;
  // Of a game whose wrapper was killed: what is left of its process group.
  std::vector<Identity> orphans;
};

// A session's files that are damaged are kDataLoss.
Result<Observation> observe(const SessionFiles& files);

// Returns when a process of the game has ended, or at the deadline.
Result<void> wait_for_change(const Observation& observation,
                             std::chrono::steady_clock::time_point deadline);

// A signal to the game's process group. Success when it does not run.
Result<void> signal_game(const Observation& observation, int signal);
// SIGKILL to all that descends from the game, also what has left its process group.
Result<void> kill_game(const Observation& observation);

}  // namespace manman::process
