#include "api/jobs/outbox_relay.h"

#include <algorithm>
#include <set>

#include "api/commands.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "base/retry.h"
#include "base/unique_name.h"

namespace manman::api {
namespace {

constexpr int kWorkers = 4;
constexpr int kMaxFailingAtWork = kWorkers / 2;
// That are sent together: one command of each.
constexpr size_t kLanesAtOnce = 64;
// With some patience for clocks that differ; shorter where leases are.
constexpr std::chrono::milliseconds kLongestClaim{10000};
constexpr int kRenewals = 5;  // before a claim would end
constexpr Backoff kPause{.base = std::chrono::milliseconds(100),
                         .cap = std::chrono::milliseconds(5000)};

}  // namespace

OutboxRelay::OutboxRelay(const Context& context)
    : context_(context),
      claimant_(unique_name()),
      claim_(std::min(kLongestClaim, context.config.lease / 2)),
      dispatcher_("relay", context.config.job_interval, [this] { dispatch(); }),
      renewer_("claims", claim_ / kRenewals, [this] { renew_claims(); }) {}

OutboxRelay::~OutboxRelay() {
  stop();
}

void OutboxRelay::start() {
  *state_.lock() = State{};
  for (int i = 0; i < kWorkers; i++) workers_.emplace_back([this] { work(); });
  dispatcher_.start();
  if (context_.database.shared()) renewer_.start();
}

void OutboxRelay::stop() {
  dispatcher_.stop();
  state_.lock()->stopping = true;
  state_.notify_all();
  for (auto& worker : workers_) worker.join();
  workers_.clear();
  renewer_.stop();
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
  // Who has taken these asks again.
  if (state_.lock()->waiting.size() >= kLanesAtOnce) return;
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

void OutboxRelay::renew_claims() {
  const auto at_work = [](const auto& entry) { return entry.second.at_work; };
  if (std::ranges::none_of(state_.lock()->hosts, at_work)) return;
  const int64_t now_ms = context_.clock.now_ms();
  const auto renewed =
      context_.database.transact(db::Isolation::kStatement, [&](db::Transaction& tx) {
        return db::outbox::renew(tx, claimant_, now_ms, now_ms + claim_.count());
      });
  if (!renewed) log_debug({}, "relay: claims end sooner: {}", renewed.error().text());
}

void OutboxRelay::work() {
  for (;;) {
    const Lanes lanes = next_lanes();
    if (lanes.empty()) return;
    Result<Failures> failures;
    try {
      failures = send(lanes);
    } catch (const std::exception& error) {
      failures = fail(Code::kInternal, error.what());
    }
    if (!failures) {
      give_up_claims(lanes);
      const Error error = failures.error();
      failures.emplace();
      for (const std::string& lane : lanes) failures->emplace(lane, error);
    }
    done(lanes, *failures);
  }
}

OutboxRelay::Lanes OutboxRelay::next_lanes() {
  auto state = state_.lock();
  state.wait([&] { return state->stopping || !state->waiting.empty(); });
  Lanes lanes;
  if (state->stopping) return lanes;
  const auto failing = [&] { return state->hosts[state->waiting.front()].failures > 0; };
  const bool alone = failing();
  do {
    lanes.push_back(std::move(state->waiting.front()));
    state->waiting.pop_front();
  } while (!alone && lanes.size() < kLanesAtOnce && !state->waiting.empty() && !failing());
  return lanes;
}

Result<OutboxRelay::Failures> OutboxRelay::send(const Lanes& lanes) {
  Turn turn = TRY(take(lanes));
  for (const std::string& routing_key : turn.dropped)
    log_info({}, "{} dropped: nothing waits for it any more", routing_key);
  context_.counters.commands_dropped += turn.dropped.size();
  if (turn.commands.empty()) {
    give_up_claims(lanes);
    return Failures();
  }
  TRY(failpoint::pass("api.relay.claimed"));
  const Failures failures = publish(turn);
  context_.counters.commands_published += turn.commands.size() - failures.size();
  TRY(failpoint::pass("api.relay.published"));
  TRY(finish(lanes, turn, failures));
  return failures;
}

// Nothing of lanes that another relay has.
Result<OutboxRelay::Turn> OutboxRelay::take(const Lanes& lanes) {
  return context_.database.transact(
      db::Isolation::kStatement, [&](db::Transaction& tx) -> Result<Turn> {
        Turn turn;
        std::vector<int64_t> dropped;
        for (const std::string& lane : TRY(claim(tx, lanes))) {
          const auto rows = TRY(db::outbox::oldest(tx, lane, 1));
          if (rows.empty()) continue;
          const db::outbox::Row& row = rows.front();
          if (!TRY(in(row.routing_key, still_wanted(tx, row)))) {
            dropped.push_back(row.outbox_id);
            turn.dropped.push_back(row.routing_key);
            continue;
          }
          Command command{lane, row.outbox_id, {.routing_key = row.routing_key, .body = row.body}};
          command.message.expires_in =
              TRY(in(row.routing_key,
                     expires_in(tx, row, context_.clock.now_ms(), context_.config.lease)));
          turn.commands.push_back(std::move(command));
        }
        TRY(db::outbox::sent(tx, dropped));
        return turn;
      });
}

Result<OutboxRelay::Lanes> OutboxRelay::claim(db::Transaction& tx, const Lanes& lanes) {
  if (!context_.database.shared()) return lanes;
  const int64_t now_ms = context_.clock.now_ms();
  return db::outbox::claim(tx, lanes, claimant_, now_ms, now_ms + claim_.count());
}

OutboxRelay::Failures OutboxRelay::publish(Turn& turn) {
  std::vector<Message> messages;
  for (Command& command : turn.commands) messages.push_back(std::move(command.message));
  const auto published = context_.bus.publish_each(messages);
  Failures failures;
  for (size_t i = 0; i < published.size(); i++)
    if (!published[i])
      failures.emplace(turn.commands[i].lane, published[i].error().in(messages[i].routing_key));
  return failures;
}

Result<void> OutboxRelay::finish(const Lanes& lanes, const Turn& turn, const Failures& failures) {
  std::vector<int64_t> sent;
  for (const Command& command : turn.commands)
    if (!failures.contains(command.lane)) sent.push_back(command.outbox_id);
  return context_.database.transact(db::Isolation::kStatement,
                                    [&](db::Transaction& tx) -> Result<void> {
                                      TRY(db::outbox::sent(tx, sent));
                                      if (!context_.database.shared()) return {};
                                      return db::outbox::release(tx, lanes, claimant_);
                                    });
}

void OutboxRelay::give_up_claims(const Lanes& lanes) {
  if (!context_.database.shared()) return;
  const auto released = context_.database.transact(
      db::Isolation::kStatement,
      [&](db::Transaction& tx) { return db::outbox::release(tx, lanes, claimant_); });
  if (!released)
    log_debug({}, "relay: claims of {} and others end later: {}", lanes.front(),
              released.error().text());
}

void OutboxRelay::done(const Lanes& lanes, const Failures& failures) {
  const auto now = std::chrono::steady_clock::now();
  std::vector<const Failures::value_type*> first_failures;
  {
    auto state = state_.lock();
    for (const std::string& lane : lanes) {
      Host& host = state->hosts[lane];
      host.at_work = false;
      if (host.failures > 0) state->failing_at_work--;
      const auto failure = failures.find(lane);
      if (failure == failures.end()) {
        host.failures = 0;
        continue;
      }
      context_.counters.commands_failed++;
      if (host.failures++ == 0) first_failures.push_back(&*failure);
      host.not_before = now + kPause.wait_before_retry(host.failures - 1);
    }
  }
  for (const auto* failure : first_failures)
    log_warn({}, "{}: not published yet: {}", failure->first, failure->second.text());
  // There may be more: rows that came meanwhile, or another failing host that waits for its turn.
  if (failures.size() < lanes.size()) wake();
}

}  // namespace manman::api
