#include "db/repositories.h"
#include "db/rows.h"
#include "db/table.h"

namespace manman::db::outbox {
namespace {

Result<Row> to_domain(const OutboxRow& row) {
  return Row{row.id, row.routing_key, row.body};
}

// From one lane to the next along the index, so that it costs the same however long each is.
constexpr std::string_view kLanes =
    "WITH RECURSIVE lanes(lane) AS (SELECT MIN(lane) FROM outbox UNION ALL "
    "SELECT (SELECT MIN(o.lane) FROM outbox o WHERE o.lane > lanes.lane) FROM lanes "
    "WHERE lanes.lane IS NOT NULL) "
    "SELECT lane FROM lanes WHERE lane IS NOT NULL AND lane NOT IN "
    "(SELECT c.lane FROM outbox_claims c WHERE c.claimant <> :claimant AND c.until_ms > :now) "
    "ORDER BY lane";

constexpr std::string_view kClaim =
    "INSERT INTO outbox_claims (lane, claimant, until_ms) VALUES (:lane, :claimant, :until) "
    "ON CONFLICT (lane) DO UPDATE SET claimant = :claimant, until_ms = :until "
    "WHERE outbox_claims.claimant = :claimant OR outbox_claims.until_ms <= :now";

}  // namespace

std::string lane_of(const std::string& routing_key) {
  size_t end = 0;
  for (int dots = 0; end < routing_key.size(); end++) {
    if (routing_key[end] == '.' && ++dots == 3) break;
  }
  return routing_key.substr(0, end);
}

Result<void> add(Transaction& tx, const std::string& routing_key, const std::string& body,
                 int64_t now_ms) {
  OutboxRow row;
  row.lane = lane_of(routing_key);
  row.routing_key = routing_key;
  row.body = body;
  row.created_at_ms = now_ms;
  TRY(insert(tx, std::move(row)));
  return {};
}

Result<std::vector<std::string>> lanes(Transaction& tx, const std::string& claimant,
                                       int64_t now_ms) {
  return query(tx, [&](soci::session& sql) -> Result<std::vector<std::string>> {
    std::string lane;
    std::vector<std::string> found;
    soci::statement statement(sql);
    statement.exchange(soci::into(lane));
    statement.exchange(soci::use(claimant, "claimant"));
    statement.exchange(soci::use(now_ms, "now"));
    detail::run(statement, std::string(kLanes), false);
    while (statement.fetch()) found.push_back(lane);
    return found;
  });
}

Result<bool> claim(Transaction& tx, const std::string& lane, const std::string& claimant,
                   int64_t now_ms, int64_t until_ms) {
  return query(tx, [&](soci::session& sql) -> Result<bool> {
    soci::statement statement(sql);
    statement.exchange(soci::use(lane, "lane"));
    statement.exchange(soci::use(claimant, "claimant"));
    statement.exchange(soci::use(until_ms, "until"));
    statement.exchange(soci::use(now_ms, "now"));
    detail::run(statement, std::string(kClaim), true);
    return statement.get_affected_rows() > 0;
  });
}

Result<void> release(Transaction& tx, const std::string& lane, const std::string& claimant) {
  return query(tx, [&](soci::session& sql) -> Result<void> {
    sql << "DELETE FROM outbox_claims WHERE lane = :lane AND claimant = :claimant",
        soci::use(lane, "lane"), soci::use(claimant, "claimant");
    return {};
  });
}

Result<std::vector<Row>> oldest(Transaction& tx, const std::string& lane, int limit) {
  Where where;
  where.when("lane = :lane", "lane", lane);
  return read_all<OutboxRow>(tx, where.order("outbox_id", limit), to_domain);
}

Result<void> sent(Transaction& tx, int64_t outbox_id) {
  // Two relays may have sent the same row; the second finds it gone, which is what it wants.
  TRY(erase<OutboxRow>(tx, outbox_id));
  return {};
}

}  // namespace manman::db::outbox
