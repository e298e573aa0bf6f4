#include "db/conditions.h"
#include "db/repositories.h"
#include "db/soci.h"
#include "db/soci_transaction.h"

namespace manman::db::statistics {
namespace {

Result<std::map<std::string, int64_t>> counts(Transaction& tx, const std::string& sql_text) {
  return query(tx, [&](soci::session& sql) -> Result<std::map<std::string, int64_t>> {
    std::map<std::string, int64_t> found;
    std::string name;
    int64_t count = 0;
    soci::statement rows = (sql.prepare << sql_text, soci::into(name), soci::into(count));
    rows.execute();
    while (rows.fetch()) found[name] = count;
    return found;
  });
}

}  // namespace

Result<std::map<std::string, int64_t>> unfinished_backups(Transaction& tx) {
  return counts(tx, "SELECT status, COUNT(*) FROM backups WHERE " + std::string(kBackupIsActive) +
                        " GROUP BY status UNION ALL "
                        "SELECT 'unverified', COUNT(*) FROM backups WHERE " +
                        std::string(kBackupIsToBeLookedAt) +
                        " UNION ALL "
                        "SELECT 'deleting', COUNT(*) FROM backups WHERE status = 'deleting'");
}

Result<std::map<std::string, int64_t>> servers(Transaction& tx) {
  return counts(tx, "SELECT status, COUNT(*) FROM servers GROUP BY status");
}

Result<std::map<std::string, int64_t>> live_sessions(Transaction& tx) {
  return counts(tx, "SELECT status, COUNT(*) FROM sessions WHERE " + std::string(kSessionIsLive) +
                        " GROUP BY status");
}

Result<Outbox> outbox(Transaction& tx) {
  return query(tx, [&](soci::session& sql) -> Result<Outbox> {
    Outbox found;
    sql << "SELECT COUNT(*), COALESCE(MIN(created_at_ms), 0) FROM outbox",
        soci::into(found.waiting), soci::into(found.oldest_ms);
    return found;
  });
}

Result<std::vector<LastGood>> last_good_backups(Transaction& tx) {
  return query(tx, [&](soci::session& sql) -> Result<std::vector<LastGood>> {
    LastGood row;
    std::vector<LastGood> found;
    // One step into an index for each SGC, however many backups it has.
    soci::statement rows =
        (sql.prepare << "SELECT s.sgc_id, s.server_id, COALESCE((SELECT b.started_at "
                        "FROM backups b WHERE b.server_game_config_id = s.sgc_id AND b." +
                            std::string(kBackupIsGood) +
                            " ORDER BY b.backup_id DESC LIMIT 1), 0) "
                            "FROM server_game_configs s ORDER BY s.sgc_id",
         soci::into(row.sgc_id), soci::into(row.server_id), soci::into(row.started_at));
    rows.execute();
    while (rows.fetch()) found.push_back(row);
    return found;
  });
}

}  // namespace manman::db::statistics
