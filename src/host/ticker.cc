#include "host/ticker.h"

#include <algorithm>
#include <chrono>

#include "domain/messages.h"
#include "host/janitor.h"

namespace manman::host {
namespace {

using Time = std::chrono::steady_clock::time_point;

constexpr std::chrono::milliseconds kJanitorInterval{60000};
constexpr std::chrono::milliseconds kOutputInterval{5000};
constexpr std::chrono::milliseconds kShortest{10};

// True once per interval.
bool is_due(Time now, Time& next, std::chrono::milliseconds interval) {
  if (now < next) return false;
  next = now + std::max(interval, kShortest);
  return true;
}

}  // namespace

void Ticker::start() {
  thread_ = std::jthread([this] { run(); });
}

void Ticker::stop() {
  *stopping_.lock() = true;
  stopping_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Ticker::run() {
  Time next_renewal{};
  Time next_health{};
  Time next_look{};
  Time next_reap{};
  Time next_outputs{};
  const auto reap_interval = std::min(kJanitorInterval, context_.config.orphan_grace);
  for (;;) {
    const Time now = std::chrono::steady_clock::now();
    if (is_due(now, next_health, context_.config.heartbeat_interval)) report_health();
    if (is_due(now, next_renewal, context_.config.report_interval)) renew_leases();
    if (is_due(now, next_look, kJanitorInterval)) {
      expire_replaced(context_);
      forget_old_sessions(context_);
    }
    if (is_due(now, next_outputs, kOutputInterval)) limit_outputs(context_);
    if (is_due(now, next_reap, reap_interval)) reap_orphans(context_);
    const auto next = std::min({next_renewal, next_health, next_look, next_reap, next_outputs});
    if (!pause(std::chrono::ceil<std::chrono::milliseconds>(next - now))) return;
  }
}

void Ticker::renew_leases() {
  context_.journal->note_alive();
  for (const auto& job : context_.jobs.all()) {
    if (job->renewal) context_.reporter.offer(job->renewal(job->progress));
  }
}

void Ticker::report_health() {
  HostHealth health;
  health.server_id = context_.config.server_id;
  context_.reporter.offer({.routing_key = host_health_key(health.server_id),
                           .body = health.to_json(),
                           .fleeting = true});
}

bool Ticker::pause(std::chrono::milliseconds duration) {
  auto stopping = stopping_.lock();
  return !stopping.wait_for(duration, [&] { return *stopping; });
}

}  // namespace manman::host
