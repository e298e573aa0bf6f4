#include "host/reporter.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/retry.h"

namespace manman::host {
namespace {

constexpr Backoff kBackoff{std::chrono::milliseconds(100), std::chrono::milliseconds(5000)};

}  // namespace

void Reporter::start(Bus& bus) {
  bus_ = &bus;
  thread_ = std::jthread([this] { run(); });
}

void Reporter::stop() {
  state_.lock()->stopping = true;
  state_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Reporter::offer(Message message) {
  auto state = state_.lock();
  const auto same = std::ranges::find_if(state->queue, [&](const Item& item) {
    return item.passing && item.message.routing_key == message.routing_key;
  });
  if (same != state->queue.end()) {
    same->message = std::move(message);
    return;
  }
  state->queue.push_back({std::move(message), true, {}});
  state_.notify_all();
}

void Reporter::deliver(Message message, std::function<void()> on_delivered) {
  state_.lock()->queue.push_back({std::move(message), false, std::move(on_delivered)});
  state_.notify_all();
}

void Reporter::run() {
  int failures = 0;
  for (;;) {
    Item item;
    {
      auto state = state_.lock();
      state.wait([&] { return state->stopping || !state->queue.empty(); });
      if (state->stopping) return;
      item = std::move(state->queue.front());
      state->queue.pop_front();
    }
    if (send(item, failures)) {
      failures = 0;
      continue;
    }
    if (!item.passing) state_.lock()->queue.push_front(std::move(item));
    if (!pause(kBackoff.wait_before_retry(failures++))) return;
  }
}

// False when it should be tried again.
bool Reporter::send(Item& item, int failures) {
  const auto published = bus_->publish(item.message);
  if (published) {
    if (item.on_delivered) item.on_delivered();
    return true;
  }
  const Error& error = published.error();
  if (!item.passing && !error.retryable) {
    log_error({}, "report {} can't be delivered: {}; it goes out again at the next start",
              item.message.routing_key, error.message);
    return true;
  }
  // One line for each time the bus goes away, not one for each try.
  if (failures == 0)
    log_warn({}, "report {} is not delivered yet: {}", item.message.routing_key, error.message);
  return false;
}

bool Reporter::pause(std::chrono::milliseconds duration) {
  auto state = state_.lock();
  return !state.wait_for(duration, [&] { return state->stopping; });
}

}  // namespace manman::host
