#include "api/jobs/webhook_job.h"

#include <nlohmann/json.hpp>

#include "base/failpoint.h"
#include "base/log.h"
#include "base/retry.h"
#include "base/time.h"
#include "db/events.h"

namespace manman::api {
namespace {

constexpr size_t kMaxWorkers = 8;
// A worker sends for so long before others get their turn; with one request more it stays well
// within its lease.
constexpr std::chrono::seconds kSlice{20};
constexpr int64_t kLeaseMs = 60'000;
constexpr int64_t kGiveUpAfterMs = 3 * 24 * 60 * 60 * 1000L;
constexpr int64_t kDayMs = 24 * 60 * 60 * 1000L;
constexpr int64_t kPruneEveryMs = 60'000;
constexpr int kPruneBatch = 1000;

constexpr Backoff kBackoff{.base = std::chrono::seconds(1), .cap = std::chrono::minutes(10)};

int64_t retry_after_ms(int failures) {
  return kBackoff.wait_before_retry(failures).count();
}

std::string summary(const Event& event) {
  std::string text(to_text(event.kind));
  const auto add = [&](const char* name, int64_t id) {
    if (id != 0) text += std::string(", ") + name + " " + std::to_string(id);
  };
  add("backup", event.backup_id);
  add("session", event.session_id);
  add("SGC", event.sgc_id);
  add("server", event.server_id);
  if (!event.message.empty()) text += ": " + event.message;
  return text;
}

Post request_of(const Context& context, const Webhook& webhook, const Event& event,
                const std::string& key) {
  // "content" is what Discord shows of a request, "text" what Slack does.
  const nlohmann::json body = {{"type", to_text(event.kind)},
                               {"timestamp", format_utc(event.at_ms / 1000)},
                               {"content", summary(event)},
                               {"text", summary(event)},
                               {"data",
                                {{"event_id", event.event_id},
                                 {"at_ms", event.at_ms},
                                 {"actor", event.actor},
                                 {"server_id", event.server_id},
                                 {"server_game_config_id", event.sgc_id},
                                 {"session_id", event.session_id},
                                 {"backup_id", event.backup_id},
                                 {"policy_id", event.policy_id},
                                 {"message", event.message}}}};
  Post post{.url = webhook.url, .body = body.dump()};
  const std::string id = "evt_" + std::to_string(event.event_id);
  const int64_t now_s = context.clock.now_s();
  post.headers = {{"Content-Type", "application/json"},
                  {"User-Agent", "manman/" MANMAN_VERSION},
                  {"webhook-id", id},
                  {"webhook-timestamp", std::to_string(now_s)},
                  {"webhook-signature", webhook_signature(key, id, now_s, post.body)}};
  return post;
}

}  // namespace

WebhookJob::WebhookJob(const Context& context)
    : context_(context), ticker_("webhooks", context.config.job_interval, [this] { run_once(); }) {}

void WebhookJob::stop() {
  stopping_ = true;
  ticker_.stop();
  workers_.clear();
}

void WebhookJob::run_once() {
  std::erase_if(workers_, [](const Worker& worker) { return worker.done.load(); });
  start_workers();
  prune();
}

void WebhookJob::start_workers() {
  if (workers_.size() >= kMaxWorkers) return;
  const int64_t now_ms = context_.clock.now_ms();
  const auto due = context_.database.look([&](db::Transaction& tx) {
    return db::webhooks::due(tx, now_ms, static_cast<int>(kMaxWorkers - workers_.size()));
  });
  if (!due) return log_warn({}, "webhooks: {}", due.error().text());
  for (const int64_t webhook_id : *due) {
    const auto claimed =
        context_.database.transact(db::Isolation::kStatement, [&](db::Transaction& tx) {
          return db::webhooks::claim(tx, webhook_id, now_ms, now_ms + kLeaseMs);
        });
    if (!claimed) return log_warn({}, "webhook {}: {}", webhook_id, claimed.error().text());
    if (!*claimed) continue;
    Worker& worker = workers_.emplace_back();
    worker.thread = std::jthread([this, webhook_id, &worker] {
      deliver(webhook_id);
      worker.done = true;
    });
  }
}

void WebhookJob::deliver(int64_t webhook_id) {
  const auto until = std::chrono::steady_clock::now() + kSlice;
  while (!stopping_ && std::chrono::steady_clock::now() < until) {
    const auto due = next(webhook_id);
    if (!due) return log_warn({}, "webhook {}: {}", webhook_id, due.error().text());
    if (!*due) break;
    const auto key = webhook_key((*due)->webhook.secret);
    const Result<void> outcome =
        key ? post(request_of(context_, (*due)->webhook, (*due)->event, *key),
                   context_.config.webhooks_to_local, context_.config.webhook_ca, stopping_)
            : std::unexpected(key.error());
    if (!outcome && outcome.error().code == Code::kCancelled) break;
    if (const auto passed = failpoint::pass("api.webhook.sent"); !passed) return;
    const auto more = conclude(**due, outcome);
    // The lease ends by itself, and then it is sent once more.
    if (!more) return log_warn({}, "webhook {}: {}", webhook_id, more.error().text());
    if (!*more) return;
  }
  if (const auto done = let_go(webhook_id); !done)
    log_warn({}, "webhook {}: {}", webhook_id, done.error().text());
}

Result<std::optional<WebhookJob::Due>> WebhookJob::next(int64_t webhook_id) {
  return context_.database.look([&](db::Transaction& tx) -> Result<std::optional<Due>> {
    auto found = db::webhooks::get(tx, webhook_id);
    if (!found && found.error().code == Code::kNotFound) return std::nullopt;
    Webhook webhook = TRY(std::move(found));
    if (webhook.paused) return std::nullopt;
    auto delivery = TRY(db::webhook_deliveries::next(tx, webhook_id, context_.clock.now_ms()));
    if (!delivery) return std::nullopt;
    auto events = TRY(db::events::of_ids(tx, {delivery->event_id}));
    if (events.empty()) return std::nullopt;  // removed this moment, and the delivery with it
    return Due{std::move(webhook), *std::move(delivery), std::move(events.front())};
  });
}

Result<bool> WebhookJob::conclude(const Due& due, const Result<void>& outcome) {
  const int64_t now_ms = context_.clock.now_ms();
  WebhookDelivery row = due.delivery;
  row.attempts++;
  row.last_error = outcome ? "" : outcome.error().message;
  const bool away = !outcome && outcome.error().retryable;
  if (outcome) row.status = DeliveryStatus::kDelivered;
  if (!outcome && now_ms - row.created_at_ms > kGiveUpAfterMs)
    row.status = DeliveryStatus::kGivenUp;
  if (row.status != DeliveryStatus::kWaiting) row.ended_at = now_ms / 1000;
  // The place of one whose receiver is away stays what it was.
  if (!outcome && !away) row.next_attempt_ms = now_ms + retry_after_ms(row.attempts);
  const int failures = away ? due.webhook.failures + 1 : 0;
  const int64_t retry_at_ms = away ? now_ms + retry_after_ms(failures) : 0;
  const auto noted = context_.database.transact(
      db::Isolation::kStatement, [&](db::Transaction& tx) -> Result<void> {
        TRY(db::webhook_deliveries::update(tx, row));
        if (!away && row.last_error == due.webhook.last_error) return {};
        if (away)
          return db::webhooks::release(tx, row.webhook_id, failures, row.last_error, retry_at_ms);
        return db::webhooks::note(tx, row.webhook_id, failures, row.last_error);
      });
  if (!noted && noted.error().code == Code::kNotFound) return false;  // it is deleted
  TRY(noted);
  if (outcome) {
    context_.counters.webhooks_delivered++;
    return true;
  }
  context_.counters.webhooks_failed++;
  if (row.status == DeliveryStatus::kGivenUp) context_.counters.webhooks_given_up++;
  log_warn({.backup_id = due.event.backup_id, .sgc_id = due.event.sgc_id},
           "webhook {} ({}) could not be told of event {} ({}), attempt {}{}: {}", row.webhook_id,
           due.webhook.name, row.event_id, to_text(due.event.kind), row.attempts,
           row.status == DeliveryStatus::kGivenUp ? ", given up" : "", row.last_error);
  return !away;
}

Result<void> WebhookJob::let_go(int64_t webhook_id) {
  return context_.database.transact(db::Isolation::kStatement, [&](db::Transaction& tx) {
    return db::webhooks::unclaim(tx, webhook_id);
  });
}

void WebhookJob::prune() {
  const int64_t now_ms = context_.clock.now_ms();
  if (now_ms - pruned_at_ms_ < kPruneEveryMs) return;
  const int64_t before_ms = now_ms - context_.config.keep_events_days * kDayMs;
  const auto gone = context_.database.transact(db::Isolation::kStatement, [&](db::Transaction& tx) {
    return db::events::prune(tx, before_ms, kPruneBatch);
  });
  if (!gone) return log_warn({}, "events that are old: {}", gone.error().text());
  if (*gone < kPruneBatch) pruned_at_ms_ = now_ms;
}

}  // namespace manman::api
