#include "db/postgresql/watchdog.h"

#include <sys/socket.h>

#include <algorithm>

namespace manman::db {

using std::chrono::steady_clock;

Watchdog::Watchdog() : thread_([this] { run(); }) {}

Watchdog::~Watchdog() {
  state_.lock()->stopping = true;
  state_.notify_all();
  thread_.join();
}

Watchdog::Guard Watchdog::watch(int socket, std::chrono::milliseconds patience, bool& bitten) {
  const Time deadline = steady_clock::now() + patience;
  auto state = state_.lock();
  const uint64_t id = state->next_id++;
  state->watched[id] = {deadline, socket, &bitten};
  // Most statements end long before the thread looks again, and never wake it.
  if (deadline < state->next_look) {
    state->next_look = deadline;
    state_.notify_all();
  }
  return Guard(*this, id);
}

void Watchdog::forget(uint64_t id) {
  state_.lock()->watched.erase(id);
}

void Watchdog::run() {
  auto state = state_.lock();
  while (!state->stopping) {
    const Time look = state->next_look;
    const auto changed = [&] { return state->stopping || state->next_look < look; };
    if (look == Time::max()) {
      state.wait(changed);
    } else if (!state.wait_for(look - steady_clock::now(), changed)) {
      bite_late_ones(*state);
    }
  }
}

void Watchdog::bite_late_ones(State& state) {
  const Time now = steady_clock::now();
  state.next_look = Time::max();
  for (auto& [id, watched] : state.watched) {
    if (watched.deadline > now) {
      state.next_look = std::min(state.next_look, watched.deadline);
    } else if (!*watched.bitten) {
      *watched.bitten = true;
      ::shutdown(watched.socket, SHUT_RDWR);
    }
  }
}

}  // namespace manman::db
