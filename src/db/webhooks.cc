#include "db/conditions.h"
#include "db/events.h"
#include "db/rows.h"
#include "db/table.h"

namespace manman::db {
namespace webhooks {
namespace {

WebhookRow to_row(const Webhook& webhook) {
  WebhookRow row;
  row.id = webhook.webhook_id;
  row.name = webhook.name;
  row.url = webhook.url;
  row.secret = webhook.secret;
  row.paused = webhook.paused ? 1 : 0;
  row.created_at = webhook.created_at;
  row.failures = webhook.failures;
  row.last_error = webhook.last_error;
  row.retry_at_ms = webhook.retry_at_ms;
  row.lease_until_ms = webhook.lease_until_ms;
  return row;
}

Result<Webhook> to_domain(const WebhookRow& row) {
  return Webhook{.webhook_id = row.id,
                 .name = row.name,
                 .url = row.url,
                 .secret = row.secret,
                 .kinds = {},
                 .paused = row.paused != 0,
                 .created_at = row.created_at,
                 .failures = row.failures,
                 .last_error = row.last_error,
                 .retry_at_ms = row.retry_at_ms,
                 .lease_until_ms = row.lease_until_ms};
}

Result<std::vector<EventKind>> kinds_of(Transaction& tx, int64_t webhook_id) {
  return query(tx, [&](soci::session& sql) -> Result<std::vector<EventKind>> {
    std::string text;
    std::vector<EventKind> kinds;
    soci::statement statement(sql);
    statement.exchange(soci::into(text));
    statement.exchange(soci::use(webhook_id, "webhook"));
    detail::run(statement,
                "SELECT kind FROM webhook_kinds WHERE webhook_id = :webhook ORDER BY kind", false);
    while (statement.fetch()) {
      const auto kind = event_kind_from(text);
      if (!kind) return std::unexpected(damaged("webhook_kinds.kind", text));
      kinds.push_back(*kind);
    }
    return kinds;
  });
}

Result<void> set_kinds(Transaction& tx, const Webhook& webhook) {
  return query(tx, [&](soci::session& sql) -> Result<void> {
    sql << "DELETE FROM webhook_kinds WHERE webhook_id = :webhook",
        soci::use(webhook.webhook_id, "webhook");
    for (const EventKind kind : webhook.kinds) {
      const std::string text(to_text(kind));
      sql << "INSERT INTO webhook_kinds (kind, webhook_id) VALUES (:kind, :webhook)",
          soci::use(text, "kind"), soci::use(webhook.webhook_id, "webhook");
    }
    return {};
  });
}

Result<Webhook> with_kinds(Transaction& tx, Webhook webhook) {
  webhook.kinds = TRY(kinds_of(tx, webhook.webhook_id));
  return webhook;
}

}  // namespace

Result<Webhook> create(Transaction& tx, const Webhook& webhook) {
  TRY(check_text("webhooks.name", webhook.name));
  if (TRY(find_id<WebhookRow>(tx, Where().when("name = :name", "name", webhook.name))))
    return fail(Code::kAlreadyExists, "there is a webhook \"" + webhook.name + "\" already");
  const auto all = TRY(select_ids<WebhookRow>(tx, Where().order("webhook_id", kMax)));
  if (all.size() >= kMax)
    return fail(Code::kFailedPrecondition,
                "there are " + std::to_string(kMax) + " webhooks, as many as there may be");
  Webhook made = webhook;
  made.webhook_id = TRY(insert(tx, to_row(webhook)));
  TRY(set_kinds(tx, made));
  return made;
}

Result<Webhook> get(Transaction& tx, int64_t webhook_id) {
  return with_kinds(tx, TRY(read_one<WebhookRow>(tx, webhook_id, to_domain)));
}

Result<Webhook> hold(Transaction& tx, int64_t webhook_id) {
  return with_kinds(tx, TRY(hold_one<WebhookRow>(tx, webhook_id, to_domain)));
}

Result<std::vector<Webhook>> list(Transaction& tx, const Page& page) {
  auto webhooks = TRY(read_all<WebhookRow>(tx, Where().page("webhook_id", page), to_domain));
  for (Webhook& webhook : webhooks) webhook.kinds = TRY(kinds_of(tx, webhook.webhook_id));
  return webhooks;
}

Result<void> update(Transaction& tx, const Webhook& webhook) {
  TRY(db::update(tx, to_row(webhook)));
  return set_kinds(tx, webhook);
}

Result<void> remove(Transaction& tx, int64_t webhook_id) {
  return erase_one<WebhookRow>(tx, webhook_id);
}

Result<std::vector<int64_t>> due(Transaction& tx, int64_t now_ms, int limit) {
  return select_ids<WebhookRow>(
      tx, Where()
              .when("paused = 0")
              .when("retry_at_ms <= :now", "now", now_ms)
              .when("lease_until_ms <= :free", "free", now_ms)
              .when("EXISTS (SELECT 1 FROM webhook_deliveries AS waiting WHERE "
                    "waiting.webhook_id = webhooks.webhook_id AND waiting.status = 'waiting' "
                    "AND waiting.next_attempt_ms <= :by)",
                    "by", now_ms)
              .order("webhook_id", limit));
}

Result<bool> claim(Transaction& tx, int64_t webhook_id, int64_t now_ms, int64_t until_ms) {
  return query(tx, [&](soci::session& sql) -> Result<bool> {
    soci::statement statement(sql);
    statement.exchange(soci::use(until_ms, "until"));
    statement.exchange(soci::use(webhook_id, "webhook"));
    statement.exchange(soci::use(now_ms, "now"));
    detail::run(statement,
                "UPDATE webhooks SET lease_until_ms = :until "
                "WHERE webhook_id = :webhook AND lease_until_ms <= :now",
                true);
    return statement.get_affected_rows() > 0;
  });
}

Result<void> unclaim(Transaction& tx, int64_t webhook_id) {
  return query(tx, [&](soci::session& sql) -> Result<void> {
    sql << "UPDATE webhooks SET lease_until_ms = 0 WHERE webhook_id = :webhook",
        soci::use(webhook_id, "webhook");
    return {};
  });
}

Result<void> note(Transaction& tx, int64_t webhook_id, int failures, const std::string& error) {
  TRY(check_text("webhooks.last_error", error));
  return query(tx, [&](soci::session& sql) -> Result<void> {
    sql << "UPDATE webhooks SET failures = :failures, last_error = :error "
           "WHERE webhook_id = :webhook",
        soci::use(failures, "failures"), soci::use(error, "error"),
        soci::use(webhook_id, "webhook");
    return {};
  });
}

Result<void> release(Transaction& tx, int64_t webhook_id, int failures, const std::string& error,
                     int64_t retry_at_ms) {
  TRY(check_text("webhooks.last_error", error));
  return query(tx, [&](soci::session& sql) -> Result<void> {
    sql << "UPDATE webhooks SET lease_until_ms = 0, failures = :failures, last_error = :error, "
           "retry_at_ms = :retry WHERE webhook_id = :webhook",
        soci::use(failures, "failures"), soci::use(error, "error"), soci::use(retry_at_ms, "retry"),
        soci::use(webhook_id, "webhook");
    return {};
  });
}

}  // namespace webhooks

namespace webhook_deliveries {
namespace {

WebhookDeliveryRow to_row(const WebhookDelivery& delivery) {
  WebhookDeliveryRow row;
  row.id = delivery.delivery_id;
  row.webhook_id = delivery.webhook_id;
  row.event_id = delivery.event_id;
  row.status = to_text(delivery.status);
  row.attempts = delivery.attempts;
  row.created_at_ms = delivery.created_at_ms;
  row.next_attempt_ms = delivery.next_attempt_ms;
  row.ended_at = delivery.ended_at;
  row.last_error = delivery.last_error;
  return row;
}

Result<WebhookDelivery> to_domain(const WebhookDeliveryRow& row) {
  const auto status = delivery_status_from(row.status);
  if (!status) return std::unexpected(damaged("webhook_deliveries.status", row.status));
  return WebhookDelivery{.delivery_id = row.id,
                         .webhook_id = row.webhook_id,
                         .event_id = row.event_id,
                         .status = *status,
                         .attempts = row.attempts,
                         .created_at_ms = row.created_at_ms,
                         .next_attempt_ms = row.next_attempt_ms,
                         .ended_at = row.ended_at,
                         .last_error = row.last_error};
}

Where of(int64_t webhook_id) {
  return Where().when("webhook_id = :webhook", "webhook", webhook_id);
}

}  // namespace

Result<void> add(Transaction& tx, int64_t webhook_id, int64_t event_id, int64_t now_ms) {
  TRY(insert(tx, to_row({.webhook_id = webhook_id,
                         .event_id = event_id,
                         .created_at_ms = now_ms,
                         .next_attempt_ms = now_ms})));
  return {};
}

Result<std::vector<WebhookDelivery>> list(Transaction& tx, int64_t webhook_id, const Page& page) {
  return read_all<WebhookDeliveryRow>(tx, of(webhook_id).page("delivery_id", page), to_domain);
}

Result<std::optional<WebhookDelivery>> next(Transaction& tx, int64_t webhook_id, int64_t now_ms) {
  auto rows = TRY(read_all<WebhookDeliveryRow>(tx,
                                               of(webhook_id)
                                                   .when(kDeliveryWaits)
                                                   .when("next_attempt_ms <= :now", "now", now_ms)
                                                   .order("next_attempt_ms, delivery_id", 1),
                                               to_domain));
  if (rows.empty()) return std::nullopt;
  return std::move(rows.front());
}

Result<int64_t> waiting(Transaction& tx, int64_t webhook_id) {
  return query(tx, [&](soci::session& sql) -> Result<int64_t> {
    int64_t count = 0;
    sql << "SELECT COUNT(*) FROM webhook_deliveries WHERE webhook_id = :webhook AND " +
               std::string(kDeliveryWaits),
        soci::use(webhook_id, "webhook"), soci::into(count);
    return count;
  });
}

Result<void> update(Transaction& tx, const WebhookDelivery& delivery) {
  return db::update(tx, to_row(delivery));
}

Result<Waiting> statistics(Transaction& tx) {
  return query(tx, [&](soci::session& sql) -> Result<Waiting> {
    Waiting waiting;
    sql << "SELECT COUNT(*), COALESCE(MIN(created_at_ms), 0) FROM webhook_deliveries WHERE " +
               std::string(kDeliveryWaits),
        soci::into(waiting.count), soci::into(waiting.oldest_ms);
    return waiting;
  });
}

}  // namespace webhook_deliveries
}  // namespace manman::db
