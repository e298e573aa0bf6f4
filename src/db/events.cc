#include "db/events.h"

#include "db/rows.h"
#include "db/table.h"

namespace manman::db::events {
namespace {

EventRow to_row(const Event& event) {
  EventRow row;
  row.at_ms = event.at_ms;
  row.kind = to_text(event.kind);
  row.actor = event.actor;
  row.server_id = event.server_id;
  row.sgc_id = event.sgc_id;
  row.session_id = event.session_id;
  row.backup_id = event.backup_id;
  row.policy_id = event.policy_id;
  row.message = event.message;
  return row;
}

Result<Event> to_domain(const EventRow& row) {
  const auto kind = event_kind_from(row.kind);
  if (!kind) return std::unexpected(damaged("events.kind", row.kind));
  return Event{.event_id = row.id,
               .at_ms = row.at_ms,
               .kind = *kind,
               .actor = row.actor,
               .server_id = row.server_id,
               .sgc_id = row.sgc_id,
               .session_id = row.session_id,
               .backup_id = row.backup_id,
               .policy_id = row.policy_id,
               .message = row.message};
}

// One statement, which looks at nothing but who is told of this kind.
Result<void> add_deliveries(Transaction& tx, const Event& event, int64_t event_id) {
  return query(tx, [&](soci::session& sql) -> Result<void> {
    const std::string kind(to_text(event.kind));
    sql << "INSERT INTO webhook_deliveries (webhook_id, event_id, status, attempts, "
           "created_at_ms, next_attempt_ms, ended_at, last_error) "
           "SELECT webhook_id, :event, 'waiting', 0, :now, :now, 0, '' FROM webhook_kinds "
           "WHERE kind = :kind",
        soci::use(event_id, "event"), soci::use(event.at_ms, "now"), soci::use(kind, "kind");
    return {};
  });
}

}  // namespace

Result<int64_t> add(Transaction& tx, const Event& event) {
  const int64_t event_id = TRY(insert(tx, to_row(event)));
  TRY(add_deliveries(tx, event, event_id));
  return event_id;
}

Result<std::vector<Event>> list(Transaction& tx, const Filter& filter, const Page& page) {
  Where where;
  if (filter.sgc_id != 0) where.when("sgc_id = :sgc", "sgc", filter.sgc_id);
  if (filter.kind) where.when("kind = :kind", "kind", std::string(to_text(*filter.kind)));
  return read_all<EventRow>(tx, where.page("event_id", page), to_domain);
}

Result<std::vector<Event>> after(Transaction& tx, int64_t event_id, int limit) {
  return read_all<EventRow>(
      tx, Where().when("event_id > :after", "after", event_id).order("event_id", limit), to_domain);
}

Result<std::vector<Event>> of_ids(Transaction& tx, const std::vector<int64_t>& event_ids) {
  if (event_ids.empty()) return std::vector<Event>();
  return read_all<EventRow>(tx,
                            Where()
                                .when("event_id IN (" + id_list(event_ids) + ")")
                                .order("event_id", static_cast<int>(event_ids.size())),
                            to_domain);
}

Result<int64_t> newest_id(Transaction& tx) {
  return query(tx, [&](soci::session& sql) -> Result<int64_t> {
    int64_t id = 0;
    sql << "SELECT COALESCE(MAX(event_id), 0) FROM events", soci::into(id);
    return id;
  });
}

Result<int64_t> count_since(Transaction& tx, EventKind kind, const backups::Scope& scope,
                            int64_t since_ms) {
  return query(tx, [&](soci::session& sql) -> Result<int64_t> {
    const std::string kind_text(to_text(kind));
    const int64_t id = scope.sgc_id != 0 ? scope.sgc_id : scope.server_id;
    int64_t count = 0;
    sql << "SELECT COUNT(*) FROM events WHERE kind = :kind AND " +
               std::string(scope.sgc_id != 0 ? "sgc_id" : "server_id") +
               " = :id AND at_ms > :since",
        soci::use(kind_text, "kind"), soci::use(id, "id"), soci::use(since_ms, "since"),
        soci::into(count);
    return count;
  });
}

Result<int> prune(Transaction& tx, int64_t before_ms, int limit) {
  const auto ids = TRY(select_ids<EventRow>(
      tx, Where().when("at_ms < :before", "before", before_ms).order("at_ms", limit)));
  TRY(erase_all<EventRow>(tx, ids));
  return static_cast<int>(ids.size());
}

}  // namespace manman::db::events
