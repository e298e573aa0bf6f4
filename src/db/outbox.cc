#include <algorithm>

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

// "(:lane_0, :claimant, :until), (:lane_1, …": one for each lane, in a form that says how.
std::string for_each_lane(size_t lanes, const std::string& before, const std::string& after) {
  std::string text;
  for (size_t i = 0; i < lanes; i++)
    text += (i == 0 ? "" : ", ") + before + ":lane_" + std::to_string(i) + after;
  return text;
}

void bind_lanes(soci::statement& statement, const std::vector<std::string>& lanes) {
  for (size_t i = 0; i < lanes.size(); i++)
    statement.exchange(soci::use(lanes[i], "lane_" + std::to_string(i)));
}

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

Result<std::vector<std::string>> claim(Transaction& tx, const std::vector<std::string>& lanes,
                                       const std::string& claimant, int64_t now_ms,
                                       int64_t until_ms) {
  std::vector<std::string> claimed;
  if (lanes.empty()) return claimed;
  // In one order, so that two relays that claim the same lanes don't wait for each other.
  std::vector<std::string> ordered = lanes;
  std::ranges::sort(ordered);
  return query(tx, [&](soci::session& sql) -> Result<std::vector<std::string>> {
    std::string lane;
    soci::statement statement(sql);
    statement.exchange(soci::into(lane));
    bind_lanes(statement, ordered);
    statement.exchange(soci::use(claimant, "claimant"));
    statement.exchange(soci::use(until_ms, "until"));
    statement.exchange(soci::use(now_ms, "now"));
    detail::run(statement,
                "INSERT INTO outbox_claims (lane, claimant, until_ms) VALUES " +
                    for_each_lane(ordered.size(), "(", ", :claimant, :until)") +
                    " ON CONFLICT (lane) DO UPDATE SET claimant = :claimant, until_ms = :until "
                    "WHERE outbox_claims.claimant = :claimant OR outbox_claims.until_ms <= :now "
                    "RETURNING lane",
                false);
    while (statement.fetch()) claimed.push_back(lane);
    return std::move(claimed);
  });
}

Result<void> release(Transaction& tx, const std::vector<std::string>& lanes,
                     const std::string& claimant) {
  if (lanes.empty()) return {};
  return query(tx, [&](soci::session& sql) -> Result<void> {
    soci::statement statement(sql);
    bind_lanes(statement, lanes);
    statement.exchange(soci::use(claimant, "claimant"));
    detail::run(statement,
                "DELETE FROM outbox_claims WHERE claimant = :claimant AND lane IN (" +
                    for_each_lane(lanes.size(), "", "") + ")",
                true);
    return {};
  });
}

Result<void> renew(Transaction& tx, const std::string& claimant, int64_t now_ms, int64_t until_ms) {
  return query(tx, [&](soci::session& sql) -> Result<void> {
    sql << "UPDATE outbox_claims SET until_ms = :until WHERE claimant = :claimant "
           "AND until_ms > :now",
        soci::use(until_ms, "until"), soci::use(claimant, "claimant"), soci::use(now_ms, "now");
    return {};
  });
}

Result<std::vector<Row>> oldest(Transaction& tx, const std::string& lane, int limit) {
  Where where;
  where.when("lane = :lane", "lane", lane);
  return read_all<OutboxRow>(tx, where.order("outbox_id", limit), to_domain);
}

Result<void> sent(Transaction& tx, const std::vector<int64_t>& outbox_ids) {
  // Two relays may have sent the same row; the second finds it gone, which is what it wants.
  return erase_all<OutboxRow>(tx, outbox_ids);
}

}  // namespace manman::db::outbox
