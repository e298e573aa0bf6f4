#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <thread>

#include "base/error.h"
#include "base/sync.h"
#include "game/runtime/runtime.h"

namespace manman::host {

// The games that run on this machine, each watched until its end. Thread-safe.
class Sessions {
 public:
  // Takes care of a game's end, on the watcher's thread, while the game still counts as running.
  using OnEnd = std::function<void(const GameInstance&, const GameState&)>;

  // The runtime must outlive it.
  Sessions(Runtime& runtime, OnEnd on_end) : runtime_(runtime), on_end_(std::move(on_end)) {}
  ~Sessions() { stop(); }

  // From now on the game counts as running, until on_end has seen its end. A game that is watched
  // already is success.
  Result<void> watch(const GameInstance& game);
  std::optional<GameInstance> find(int64_t session_id);
  std::optional<GameInstance> running_in(int64_t sgc_id);
  std::set<int64_t> running();  // their ids
  // True once the session does not count as running; false when the time has passed or stop() was
  // called before.
  bool wait_for_end(int64_t session_id, std::chrono::milliseconds timeout);
  // Ends the watching; the games run on.
  void stop();

 private:
  struct Watched {
    GameInstance game;
    bool ended = false;
    std::jthread thread;
  };
  struct State {
    std::map<int64_t, Watched> games;
    bool stopping = false;
  };

  void run(const GameInstance& game);
  std::optional<GameState> wait_for_state(const GameInstance& game);
  void forget_ended(State& state);
  bool stopping() { return state_.lock()->stopping; }

  Runtime& runtime_;
  OnEnd on_end_;
  Sync<State> state_;
};

}  // namespace manman::host
