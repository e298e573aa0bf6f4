#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "db/database.h"
#include "db/repositories.h"
#include "domain/event.h"
#include "domain/webhook.h"

// Events, and the webhooks that are told of them. As in repositories.h.
namespace manman::db {

namespace events {
// Stores it, and a delivery for each webhook that is told of its kind. event_id is given by the
// database: a transaction that commits later may have got a lower one.
Result<int64_t> add(Transaction& tx, const Event& event);
struct Filter {
  int64_t sgc_id = 0;  // 0: any
  std::optional<EventKind> kind = std::nullopt;
};
Result<std::vector<Event>> list(Transaction& tx, const Filter& filter, const Page& page);
// Those with a greater id, the lowest first.
Result<std::vector<Event>> after(Transaction& tx, int64_t event_id, int limit);
Result<std::vector<Event>> of_ids(Transaction& tx, const std::vector<int64_t>& event_ids);
// The greatest id; 0 when there is no event.
Result<int64_t> newest_id(Transaction& tx);
// How many of a kind an SGC or a server has had since then.
Result<int64_t> count_since(Transaction& tx, EventKind kind, const backups::Scope& scope,
                            int64_t since_ms);
// Removes up to `limit` events of before then, and their deliveries; how many.
Result<int> prune(Transaction& tx, int64_t before_ms, int limit);
}  // namespace events

namespace webhooks {
// webhook_id is given by the database. A name that is taken is kAlreadyExists; more than kMax of
// them are kFailedPrecondition.
inline constexpr int kMax = 100;
Result<Webhook> create(Transaction& tx, const Webhook& webhook);
Result<Webhook> get(Transaction& tx, int64_t webhook_id);
// The same, and nobody else changes the row until the transaction ends, whatever its isolation.
Result<Webhook> hold(Transaction& tx, int64_t webhook_id);
Result<std::vector<Webhook>> list(Transaction& tx, const Page& page);
// The whole row, and its kinds.
Result<void> update(Transaction& tx, const Webhook& webhook);
// What it was not told yet goes with it.
Result<void> remove(Transaction& tx, int64_t webhook_id);
// Those that can be told of something now: not paused, claimed by nobody, not put off.
Result<std::vector<int64_t>> due(Transaction& tx, int64_t now_ms, int limit);
// Nobody else tells it anything until then; false when another has claimed it.
Result<bool> claim(Transaction& tx, int64_t webhook_id, int64_t now_ms, int64_t until_ms);
Result<void> unclaim(Transaction& tx, int64_t webhook_id);
// The receiver is away: it is not asked again before retry_at_ms, and the claim ends.
Result<void> release(Transaction& tx, int64_t webhook_id, int failures, const std::string& error,
                     int64_t retry_at_ms);
// What came of the last attempt.
Result<void> note(Transaction& tx, int64_t webhook_id, int failures, const std::string& error);
}  // namespace webhooks

namespace webhook_deliveries {
// One for a webhook alone, whatever kinds it is told of.
Result<void> add(Transaction& tx, int64_t webhook_id, int64_t event_id, int64_t now_ms);
Result<std::vector<WebhookDelivery>> list(Transaction& tx, int64_t webhook_id, const Page& page);
// The one of a webhook that is to be tried next, by now; none is an empty optional.
Result<std::optional<WebhookDelivery>> next(Transaction& tx, int64_t webhook_id, int64_t now_ms);
Result<int64_t> waiting(Transaction& tx, int64_t webhook_id);
// The whole row, by delivery_id; one that is gone is kNotFound.
Result<void> update(Transaction& tx, const WebhookDelivery& delivery);
// Of all webhooks.
struct Waiting {
  int64_t count = 0;
  int64_t oldest_ms = 0;  // when that was made; 0: none
};
Result<Waiting> statistics(Transaction& tx);
}  // namespace webhook_deliveries

}  // namespace manman::db
