#include "api/jobs/ticker.h"

#include <exception>

#include "base/log.h"

namespace manman::api {

Ticker::Ticker(std::string name, std::chrono::milliseconds interval, std::function<void()> work)
    : name_(std::move(name)), interval_(interval), work_(std::move(work)) {}

Ticker::~Ticker() {
  stop();
}

void Ticker::start() {
  state_.lock()->stopping = false;
  thread_ = std::thread([this] { run(); });
}

void Ticker::stop() {
  if (!thread_.joinable()) return;
  state_.lock()->stopping = true;
  state_.notify_all();
  thread_.join();
}

void Ticker::wake() {
  state_.lock()->woken = true;
  state_.notify_all();
}

void Ticker::run() {
  for (;;) {
    work_once();
    auto state = state_.lock();
    state.wait_for(interval_, [&] { return state->woken || state->stopping; });
    if (state->stopping) return;
    state->woken = false;
  }
}

void Ticker::work_once() {
  try {
    work_();
  } catch (const std::exception& error) {
    log_error({}, "{}: {}", name_, error.what());
  } catch (...) {
    log_error({}, "{}: an exception of no known type", name_);
  }
}

}  // namespace manman::api
