#include "host/lanes.h"

#include <chrono>
#include <system_error>
#include <utility>

#include "base/log.h"

namespace manman::host {

void Lanes::post(int64_t lane, Job job) {
  auto state = state_.lock();
  if (state->stopping) return;
  auto& queue = state->lanes[lane];
  queue.push_back(std::move(job));
  if (queue.size() > 1) return;
  state->ready.push_back(lane);
  if (static_cast<size_t>(state->idle) < state->ready.size()) add_thread(*state);
  state_.notify_all();
}

void Lanes::add_thread(State& state) {
  if (state.threads.size() >= static_cast<size_t>(max_threads_)) return;
  try {
    state.threads.emplace_back([this] { run(); });
  } catch (const std::system_error& error) {
    // Those that are there serve all lanes, only later.
    log_error({}, "no thread for another job: {}", error.what());
  }
}

void Lanes::run() {
  while (auto next = take()) {
    next->job();
    next->job = nullptr;  // what it holds goes before the lane moves on
    leave(next->lane);
  }
}

std::optional<Lanes::Next> Lanes::take() {
  auto state = state_.lock();
  state->idle++;
  state.wait([&] { return state->stopping || !state->ready.empty(); });
  state->idle--;
  if (state->stopping) return std::nullopt;
  const int64_t lane = state->ready.front();
  state->ready.pop_front();
  return Next{lane, std::move(state->lanes[lane].front())};
}

void Lanes::leave(int64_t lane) {
  auto state = state_.lock();
  auto& queue = state->lanes[lane];
  queue.pop_front();
  if (queue.empty()) {
    state->lanes.erase(lane);
  } else {
    state->ready.push_back(lane);
    state_.notify_all();
  }
}

void Lanes::stop() {
  std::vector<std::jthread> threads;
  {
    auto state = state_.lock();
    state->stopping = true;
    threads = std::move(state->threads);
  }
  state_.notify_all();
  threads.clear();  // joins
  state_.lock()->lanes.clear();
}

Result<Gate::Place> Gate::enter(const std::function<bool()>& cancelled) {
  constexpr std::chrono::milliseconds kLook{50};
  auto free = free_.lock();
  while (!free.wait_for(kLook, [&] { return *free > 0; })) {
    if (cancelled()) return fail(Code::kCancelled, "cancelled while waiting for its turn");
  }
  (*free)--;
  return Place(*this);
}

Gate::Place::~Place() {
  if (gate_ == nullptr) return;
  (*gate_->free_.lock())++;
  gate_->free_.notify_all();
}

}  // namespace manman::host
