#include "api/jobs/outbox_relay.h"

#include <unistd.h>

#include <random>
#include <set>

#include "api/commands.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "base/retry.h"

namespace manman::api {
namespace {

constexpr int kWorkers = 8;
constexpr int kMaxFailingAtWork = kWorkers / 2;
// Of one lane at once; then another lane has its turn.
constexpr int kRows = 100;
// Longer than a publish takes, with some patience for clocks that differ.
constexpr std::chrono::milliseconds kClaim{30000};
constexpr Backoff kPause{.base = std::chrono::milliseconds(100),
                         .cap = std::chrono::milliseconds(5000)};

// Of this relay alone, among all processes on all machines.
std::string unique_name() {
  std::random_device random;
  return std::to_string(::getpid()) + "-" + std::to_string(random()) + std::to_string(random());
}

}  // namespace

OutboxRelay::OutboxRelay(const Context& context)
    : context_(context),
      claimant_(unique_name()),
      dispatcher_("relay", context.config.job_interval, [this] { dispatch(); }) {}

OutboxRelay::~OutboxRelay() {
  stop();
}

void OutboxRelay::start() {
  *state_.lock() = State{};
  for (int i = 0; i < kWorkers; i++) workers_.emplace_back([this] { work(); });
  dispatcher_.start();
}

void OutboxRelay::stop() {
  dispatcher_.stop();
  state_.lock()->stopping = true;
  state_.notify_all();
  for (auto& worker : workers_) worker.join();
  workers_.clear();
}

void OutboxRelay::host_seen(int64_t server_id) {
  const std::string lane = db::outbox::lane_of(command_key(server_id, "any"));
  {
    auto state = state_.lock();
    const auto found = state->hosts.find(lane);
    if (found == state->hosts.end() || found->second.failures == 0) return;
    found->second.not_before = {};
  }
  wake();
}

void OutboxRelay::dispatch() {
  const auto lanes = context_.database.look([&](db::Transaction& tx) {
    return db::outbox::lanes(tx, claimant_, context_.clock.now_ms());
  });
  if (!lanes) {
    log_warn({}, "relay: the outbox can't be read: {}", lanes.error().text());
    return;
  }
  auto state = state_.lock();
  const auto now = std::chrono::steady_clock::now();
  const std::set<std::string> there(lanes->begin(), lanes->end());
  std::erase_if(state->hosts, [&](const auto& entry) {
    return !entry.second.at_work && !there.contains(entry.first);
  });
  for (const std::string& lane : there) {
    Host& host = state->hosts[lane];
    if (host.at_work || host.not_before > now) continue;
    if (host.failures > 0 && state->failing_at_work == kMaxFailingAtWork) continue;
    host.at_work = true;
    if (host.failures > 0) state->failing_at_work++;
    state->waiting.push_back(lane);
  }
  state_.notify_all();
}

void OutboxRelay::work() {
  for (;;) {
    std::string lane;
    {
      auto state = state_.lock();
      state.wait([&] { return state->stopping || !state->waiting.empty(); });
      if (state->stopping) return;
      lane = std::move(state->waiting.front());
      state->waiting.pop_front();
    }
    Result<void> sent;
    try {
      sent = send(lane);
    } catch (const std::exception& error) {
      sent = fail(Code::kInternal, error.what());
    }
    if (!sent) {
      note_failure(lane, sent.error());
      give_up_claim(lane);
    }
    done(lane, sent.has_value());
  }
}

// The lane's oldest rows; more stay for its next turn.
Result<void> OutboxRelay::send(const std::string& lane) {
  SteadyTime claimed = std::chrono::steady_clock::now();
  const auto rows = TRY(take(lane));
  if (!rows.empty()) TRY(failpoint::pass("api.relay.claimed"));
  for (const auto& row : rows) {
    if (state_.lock()->stopping || !TRY(keep_claim(lane, claimed))) break;
    const bool last = &row == &rows.back();
    TRY(in(row.routing_key, publish(lane, row, last)));
    if (last) return {};
  }
  give_up_claim(lane);
  return {};
}

// None when another relay has the lane.
Result<std::vector<db::outbox::Row>> OutboxRelay::take(const std::string& lane) {
  return context_.database.transact(
      db::Isolation::kStatement, [&](db::Transaction& tx) -> Result<std::vector<db::outbox::Row>> {
        if (!TRY(claim(tx, lane))) return std::vector<db::outbox::Row>();
        return db::outbox::oldest(tx, lane, kRows);
      });
}

Result<bool> OutboxRelay::claim(db::Transaction& tx, const std::string& lane) {
  if (!context_.database.shared()) return true;
  const int64_t now_ms = context_.clock.now_ms();
  return db::outbox::claim(tx, lane, claimant_, now_ms, now_ms + kClaim.count());
}

// Renews it when a third of it is over. False: another relay has taken the lane.
Result<bool> OutboxRelay::keep_claim(const std::string& lane, SteadyTime& since) {
  const auto now = std::chrono::steady_clock::now();
  if (now - since < kClaim / 3) return true;
  since = now;
  return context_.database.transact(db::Isolation::kStatement,
                                    [&](db::Transaction& tx) { return claim(tx, lane); });
}

void OutboxRelay::give_up_claim(const std::string& lane) {
  if (!context_.database.shared()) return;
  const auto released = context_.database.transact(
      db::Isolation::kStatement,
      [&](db::Transaction& tx) { return db::outbox::release(tx, lane, claimant_); });
  if (!released)
    log_debug({}, "relay: the claim of {} ends later: {}", lane, released.error().text());
}

Result<void> OutboxRelay::publish(const std::string& lane, const db::outbox::Row& row, bool last) {
  const auto take_out = [&] {
    return context_.database.transact(db::Isolation::kStatement,
                                      [&](db::Transaction& tx) -> Result<void> {
                                        TRY(db::outbox::sent(tx, row.outbox_id));
                                        if (!last || !context_.database.shared()) return {};
                                        return db::outbox::release(tx, lane, claimant_);
                                      });
  };
  Message message{.routing_key = row.routing_key, .body = row.body};
  const bool wanted = TRY(context_.database.look([&](db::Transaction& tx) -> Result<bool> {
    if (!TRY(still_wanted(tx, row))) return false;
    message.expires_in = TRY(expires_in(tx, row, context_.clock.now_ms(), context_.config.lease));
    return true;
  }));
  if (!wanted) {
    context_.counters.commands_dropped++;
    log_info({}, "{} dropped: nothing waits for it any more", row.routing_key);
    return take_out();
  }
  TRY(failpoint::pass("api.relay.before_publish"));
  TRY(context_.bus.publish(message));
  context_.counters.commands_published++;
  TRY(failpoint::pass("api.relay.published"));
  return take_out();
}

void OutboxRelay::note_failure(const std::string& lane, const Error& error) {
  context_.counters.commands_failed++;
  const bool first = state_.lock()->hosts[lane].failures == 0;
  log(first ? spdlog::level::warn : spdlog::level::debug, {}, "{}: not published yet: {}", lane,
      error.text());
}

void OutboxRelay::done(const std::string& lane, bool good) {
  {
    auto state = state_.lock();
    Host& host = state->hosts[lane];
    host.at_work = false;
    if (host.failures > 0) state->failing_at_work--;
    host.failures = good ? 0 : host.failures + 1;
    if (!good)
      host.not_before =
          std::chrono::steady_clock::now() + kPause.wait_before_retry(host.failures - 1);
  }
  // There may be more: rows that came meanwhile, or another failing host that waits for its turn.
  if (good) wake();
}

}  // namespace manman::api
