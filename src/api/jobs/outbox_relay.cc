#include "api/jobs/outbox_relay.h"

#include <set>

#include "api/commands.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "base/retry.h"

namespace manman::api {
namespace {

constexpr int kWorkers = 8;
constexpr int kMaxFailingAtWork = kWorkers / 2;
// Read at once; what stays behind is read when these are out.
constexpr int kRows = 500;
constexpr Backoff kPause{.base = std::chrono::milliseconds(100),
                         .cap = std::chrono::milliseconds(5000)};

// "command.host.3" of "command.host.3.session.start".
std::string host_of(const std::string& routing_key) {
  size_t end = 0;
  for (int dots = 0; end < routing_key.size(); end++)
    if (routing_key[end] == '.' && ++dots == 3) break;
  return routing_key.substr(0, end);
}

}  // namespace

OutboxRelay::OutboxRelay(const Context& context)
    : context_(context),
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
  const std::string host = host_of(command_key(server_id, "any"));
  {
    auto state = state_.lock();
    const auto found = state->hosts.find(host);
    if (found == state->hosts.end() || found->second.failures == 0) return;
    found->second.not_before = {};
  }
  wake();
}

void OutboxRelay::dispatch() {
  // A host at work now may send some of the rows before they are read; it is not given them twice.
  std::set<std::string> busy;
  {
    auto state = state_.lock();
    for (const auto& [name, host] : state->hosts)
      if (host.at_work) busy.insert(name);
  }
  auto rows =
      context_.database.transact([](db::Transaction& tx) { return db::outbox::unsent(tx, kRows); });
  if (!rows) {
    log_warn({}, "relay: the outbox can't be read: {}", rows.error().text());
    return;
  }
  std::map<std::string, Batch> batches;
  for (auto& row : *rows) {
    const std::string host = host_of(row.routing_key);
    Batch& batch = batches.try_emplace(host, Batch{.host = host}).first->second;
    batch.rows.push_back(std::move(row));
  }
  auto state = state_.lock();
  const auto now = std::chrono::steady_clock::now();
  std::erase_if(state->hosts, [&](const auto& entry) {
    return !entry.second.at_work && !batches.contains(entry.first);
  });
  for (auto& [name, batch] : batches) {
    Host& host = state->hosts[name];
    if (busy.contains(name) || host.not_before > now) continue;
    if (host.failures > 0 && state->failing_at_work == kMaxFailingAtWork) continue;
    host.at_work = true;
    if (host.failures > 0) state->failing_at_work++;
    state->waiting.push_back(std::move(batch));
  }
  state_.notify_all();
}

void OutboxRelay::work() {
  for (;;) {
    Batch batch;
    {
      auto state = state_.lock();
      state.wait([&] { return state->stopping || !state->waiting.empty(); });
      if (state->stopping) return;
      batch = std::move(state->waiting.front());
      state->waiting.pop_front();
    }
    const bool good = publish(batch);
    done(batch.host, good);
  }
}

bool OutboxRelay::publish(const Batch& batch) {
  for (const auto& row : batch.rows) {
    if (state_.lock()->stopping) return true;
    Result<void> published;
    try {
      published = publish(row);
    } catch (const std::exception& error) {
      published = fail(Code::kInternal, error.what());
    }
    if (published) continue;
    context_.counters.commands_failed++;
    const bool first = state_.lock()->hosts[batch.host].failures == 0;
    log(first ? spdlog::level::warn : spdlog::level::debug, {}, "{} not published yet: {}",
        row.routing_key, published.error().text());
    return false;
  }
  return true;
}

Result<void> OutboxRelay::publish(const db::outbox::Row& row) {
  const auto take_out = [&]() -> Result<void> {
    auto sent = context_.database.transact(
        [&](db::Transaction& tx) { return db::outbox::sent(tx, row.outbox_id); });
    if (!sent && sent.error().code == Code::kNotFound) return {};  // another relay was faster
    return sent;
  };
  const bool wanted =
      TRY(context_.database.transact([&](db::Transaction& tx) { return still_wanted(tx, row); }));
  if (!wanted) {
    context_.counters.commands_dropped++;
    log_info({}, "{} dropped: nothing waits for it any more", row.routing_key);
    return take_out();
  }
  TRY(failpoint::pass("api.relay.before_publish"));
  TRY(context_.bus.publish({.routing_key = row.routing_key, .body = row.body}));
  context_.counters.commands_published++;
  TRY(failpoint::pass("api.relay.published"));
  return take_out();
}

void OutboxRelay::done(const std::string& name, bool good) {
  {
    auto state = state_.lock();
    Host& host = state->hosts[name];
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
