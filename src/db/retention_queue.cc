#include "db/repositories.h"
#include "db/table.h"

namespace manman::db::retention_queue {

Result<void> add(Transaction& tx, int64_t sgc_id, int64_t now_s) {
  return query(tx, [&](soci::session& sql) -> Result<void> {
    sql << "INSERT INTO retention_queue (sgc_id, due_at, version) VALUES (:sgc, :due, 1) "
           "ON CONFLICT (sgc_id) DO UPDATE SET version = retention_queue.version + 1, "
           "due_at = CASE WHEN retention_queue.due_at < :due THEN retention_queue.due_at "
           "ELSE :due END",
        soci::use(sgc_id, "sgc"), soci::use(now_s, "due");
    return {};
  });
}

Result<std::vector<Entry>> due(Transaction& tx, int64_t now_s, int limit) {
  return query(tx, [&](soci::session& sql) -> Result<std::vector<Entry>> {
    Entry entry;
    std::vector<Entry> entries;
    soci::statement statement(sql);
    statement.exchange(soci::into(entry.sgc_id));
    statement.exchange(soci::into(entry.version));
    statement.exchange(soci::use(now_s, "now"));
    statement.exchange(soci::use(limit, "row_limit"));
    detail::run(statement,
                "SELECT sgc_id, version FROM retention_queue WHERE due_at <= :now "
                "ORDER BY due_at LIMIT :row_limit",
                false);
    while (statement.fetch()) entries.push_back(entry);
    return entries;
  });
}

Result<void> done(Transaction& tx, const Entry& entry) {
  return query(tx, [&](soci::session& sql) -> Result<void> {
    sql << "DELETE FROM retention_queue WHERE sgc_id = :sgc AND version = :version",
        soci::use(entry.sgc_id, "sgc"), soci::use(entry.version, "version");
    return {};
  });
}

Result<void> put_off(Transaction& tx, const Entry& entry, int64_t until_s) {
  return query(tx, [&](soci::session& sql) -> Result<void> {
    sql << "UPDATE retention_queue SET due_at = :until WHERE sgc_id = :sgc AND version = :version",
        soci::use(until_s, "until"), soci::use(entry.sgc_id, "sgc"),
        soci::use(entry.version, "version");
    return {};
  });
}

}  // namespace manman::db::retention_queue
