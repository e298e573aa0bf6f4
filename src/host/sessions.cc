#include "host/sessions.h"

#include <system_error>
#include <utility>

#include "base/log.h"
#include "base/retry.h"

namespace manman::host {
namespace {

// How long a stop of the host may have to wait for a watcher.
constexpr std::chrono::milliseconds kSlice{250};
constexpr std::chrono::milliseconds kWaitAfterError{1000};

About about(const GameInstance& game) {
  return {.session_id = game.session_id, .sgc_id = game.sgc_id};
}

}  // namespace

Result<void> Sessions::watch(const GameInstance& game) {
  auto state = state_.lock();
  if (state->stopping) return {};  // the journal has it; the next start watches it
  forget_ended(*state);
  const auto [at, is_new] = state->games.try_emplace(game.session_id);
  if (!is_new) return {};
  at->second.game = game;
  try {
    at->second.thread = std::jthread([this, game] { run(game); });
  } catch (const std::system_error& error) {
    state->games.erase(at);
    return fail(Code::kResourceExhausted,
                std::string("no thread to watch the game: ") + error.what());
  }
  return {};
}

// Joins watchers that are done; they hold no lock any more and end at once.
void Sessions::forget_ended(State& state) {
  std::erase_if(state.games, [](const auto& entry) { return entry.second.ended; });
}

std::optional<GameInstance> Sessions::find(int64_t session_id) {
  auto state = state_.lock();
  const auto found = state->games.find(session_id);
  if (found == state->games.end() || found->second.ended) return std::nullopt;
  return found->second.game;
}

std::optional<GameInstance> Sessions::running_in(int64_t sgc_id) {
  auto state = state_.lock();
  for (const auto& [session_id, watched] : state->games) {
    if (!watched.ended && watched.game.sgc_id == sgc_id) return watched.game;
  }
  return std::nullopt;
}

std::set<int64_t> Sessions::running() {
  std::set<int64_t> ids;
  auto state = state_.lock();
  for (const auto& [session_id, watched] : state->games) {
    if (!watched.ended) ids.insert(session_id);
  }
  return ids;
}

bool Sessions::wait_for_end(int64_t session_id, std::chrono::milliseconds timeout) {
  auto state = state_.lock();
  const auto ended = [&] {
    const auto found = state->games.find(session_id);
    return found == state->games.end() || found->second.ended;
  };
  state.wait_for(timeout, [&] { return state->stopping || ended(); });
  return ended();
}

void Sessions::run(const GameInstance& game) {
  const auto end = wait_for_state(game);
  if (!end) return;
  on_end_(game, *end);
  {
    auto state = state_.lock();
    const auto found = state->games.find(game.session_id);
    if (found != state->games.end()) found->second.ended = true;
    state_.notify_all();
  }
}

// How the game ended; nothing when the watching ends before.
std::optional<GameState> Sessions::wait_for_state(const GameInstance& game) {
  bool logged = false;
  while (!stopping()) {
    auto state = runtime_.wait(game, kSlice);
    if (state && state->kind != GameState::Kind::kRunning) return *state;
    if (state) continue;
    if (!std::exchange(logged, true))
      log_error(about(game), "watching the game: {}; trying on", state.error().message);
    sleep_unless(kWaitAfterError, [this] { return stopping(); });
  }
  return std::nullopt;
}

void Sessions::stop() {
  {
    auto state = state_.lock();
    state->stopping = true;
    state_.notify_all();
  }
  // The watchers take the lock to see the wish to stop, so it is not held while they are joined.
  for (;;) {
    std::jthread thread;
    {
      auto state = state_.lock();
      for (auto& [session_id, watched] : state->games) {
        if (watched.thread.joinable()) {
          thread = std::move(watched.thread);
          break;
        }
      }
    }
    if (!thread.joinable()) return;
    thread.join();
  }
}

}  // namespace manman::host
