#include "past.h"

#include <string>

#include "db/repositories.h"
#include "db/soci_transaction.h"

namespace manman::bench {
namespace {

constexpr int kEndedSessionsOfEach = 20;

// What a real game has, so that commands are of a real size.
GameConfig game_config(int64_t game_id) {
  return {.game_id = game_id,
          .name = "survival",
          .entrypoint = {"java"},
          .command = {"-Xmx4G", "-jar", "/opt/minecraft/server.jar", "nogui"},
          .profile = "minecraft-java"};
}

Result<void> make_servers(db::Transaction& tx, int servers) {
  const auto game = TRY(db::games::create(tx, {.name = "game"}));
  const auto config = TRY(db::game_configs::create(tx, game_config(game.game_id)));
  for (int i = 0; i < servers; i++) {
    const auto server = TRY(db::servers::ensure(tx, "server-" + std::to_string(i), "bench", 1));
    const ServerGameConfig sgc{.server_id = server.server_id, .game_config_id = config.config_id};
    const int64_t sgc_id = TRY(db::server_game_configs::create(tx, sgc))
    .sgc_id;
    const Session running{
        .sgc_id = sgc_id, .created_at = 1, .started_at = 1, .status = SessionStatus::kRunning};
    TRY(db::sessions::create(tx, running));
  }
  return {};
}

// In SQL that both databases take; through the repositories a million rows would take an hour.
Result<void> make_ended_sessions(soci::session& sql) {
  sql << "INSERT INTO sessions (sgc_id, server_id, created_at, started_at, ended_at, exit_code, "
         "status, error_message, replaced_data, lease_until_ms, progress_bytes, total_bytes) "
         "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :each) "
         "SELECT sgc_id, server_id, created_at, 1, 1, 0, 'completed', '', replaced_data, 0, 0, 0 "
         "FROM n, sessions",
      soci::use(kEndedSessionsOfEach, "each");
  return {};
}

Result<void> make_backups(soci::session& sql, int64_t backups) {
  sql << "INSERT INTO backups (session_id, server_game_config_id, s3_url, size_bytes, "
         "created_at, status, error_message, attempt, lease_until_ms, sha256, progress_bytes, "
         "total_bytes, started_at, finished_at, entries, warnings) "
         "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < :rows) "
         "SELECT s.session_id, s.sgc_id, "
         "'s3://bucket/backups/' || s.sgc_id || '/' || n.i || '.tar.gz', 400000000 + i, "
         "s.created_at, 'completed', '', 1, 0, "
         "'5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03', 400000000, "
         "400000000, 1800000000 + i, 1800000100 + i, 2000, '[]' "
         "FROM n JOIN sessions s ON s.session_id = (SELECT MIN(session_id) FROM sessions) + "
         "i % (SELECT COUNT(*) FROM sessions) ORDER BY n.i",
      soci::use(backups, "rows");
  sql << "ANALYZE";
  return {};
}

}  // namespace

Result<void> give_past(db::Database& database, int servers, int64_t backups) {
  return database.transact([&](db::Transaction& tx) -> Result<void> {
    if (!TRY(db::backups::list(tx, {}, {.size = 1})).empty()) return {};
    TRY(make_servers(tx, servers));
    TRY(db::query(tx, make_ended_sessions));
    return db::query(tx, [&](soci::session& sql) { return make_backups(sql, backups); });
  });
}

}  // namespace manman::bench
