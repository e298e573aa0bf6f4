#include <gmock/gmock.h>

#include "db/soci_transaction.h"
#include "db/test_database.h"

// How many rows PostgreSQL really reads for what the repositories ask, by its own count within the
// transaction: none walks through a table that grows, and a page costs the same wherever it is.
namespace manman::db {
namespace {

class PostgresqlQueryCostTest : public testing::Test {
 protected:
  void SetUp() override {
    const char* server = std::getenv("MANMAN_TEST_PG_URL");
    if (server == nullptr) GTEST_SKIP() << "needs MANMAN_TEST_PG_URL";
    place_ = std::make_unique<PostgresqlTestDatabase>(server);
    database_ = place_->open();
    must(database_->migrate());
    must(database_->transact([&](Transaction& tx) -> Result<void> {
      const Server made = TRY(servers::ensure(tx, "s", "", 1));
      const Game game = TRY(games::create(tx, {.name = "g"}));
      const auto config = TRY(game_configs::create(tx, {.game_id = game.game_id, .name = "c"}));
      const ServerGameConfig sgc{.server_id = made.server_id, .game_config_id = config.config_id};
      sgc_ = TRY(server_game_configs::create(tx, sgc))
      .sgc_id;
      TRY(sessions::create(tx, {.sgc_id = sgc_, .status = SessionStatus::kCompleted}));
      TRY(backups::create(tx, {.sgc_id = sgc_, .status = BackupStatus::kCompleted}, "b"));
      return query(tx, multiply);
    }));
  }

  // Many ended sessions and completed backups, each like the first, and a long lane.
  static Result<void> multiply(soci::session& sql) {
    sql << "INSERT INTO sessions SELECT i, sgc_id, server_id, created_at, 5, ended_at, exit_code, "
           "status, error_message, replaced_data, 0, 0, 0, NULL, restored_paths, NULL "
           "FROM sessions, generate_series(2, 20000) i";
    sql << "INSERT INTO backups SELECT i, i, server_game_config_id, s3_url, size_bytes, "
           "description, created_at, status, error_message, attempt, 0, sha256, 0, 0, started_at, "
           "finished_at, entries, warnings, format, level, consistency, evidence, pause_ms, "
           "changed_files, changed_count, NULL, '', 0, 5, verified_how, 0, verify_error, 5, 0, "
           "verify_failed_how FROM backups, generate_series(2, 20000) i";
    sql << "INSERT INTO outbox (lane, routing_key, body, created_at_ms) "
           "SELECT 'command.host.' || i % 20, 'key', '{}', 1 FROM generate_series(1, 20000) i";
    sql << "ANALYZE backups, sessions, outbox";
    return {};
  }

  static Result<int64_t> rows_read(Transaction& tx) {
    return query(tx, [](soci::session& sql) -> Result<int64_t> {
      int64_t rows = 0;
      sql << "SELECT SUM(seq_tup_read + COALESCE(idx_tup_fetch, 0))::bigint "
             "FROM pg_stat_xact_user_tables WHERE relname IN ('backups', 'sessions', 'outbox') "
             "AND schemaname = current_schema()",
          soci::into(rows);
      return rows;
    });
  }

  template <typename F>
  void expect_rows(int64_t at_most, std::string_view what, F&& work) {
    const int64_t rows = must(database_->transact([&](Transaction& tx) -> Result<int64_t> {
      const int64_t before = TRY(rows_read(tx));
      TRY(work(tx));
      return TRY(rows_read(tx))
      -before;
    }));
    EXPECT_LE(rows, at_most) << what;
  }

  std::unique_ptr<PostgresqlTestDatabase> place_;
  std::unique_ptr<Database> database_;
  int64_t sgc_ = 0;
};

TEST_F(PostgresqlQueryCostTest, APageCostsTheSameEverywhere) {
  using sessions::Filter;
  for (const int64_t before : {0, 10000, 50}) {
    const Page page{.size = 50, .before_id = before};
    expect_rows(60, "backups", [&](Transaction& tx) { return backups::list(tx, {}, page); });
    expect_rows(60, "backups of an SGC",
                [&](Transaction& tx) { return backups::list(tx, {.sgc_id = sgc_}, page); });
    expect_rows(60, "backups of a session",
                [&](Transaction& tx) { return backups::list(tx, {.session_id = 7}, page); });
    expect_rows(60, "sessions", [&](Transaction& tx) { return sessions::list(tx, {}, page); });
    expect_rows(60, "sessions of an SGC",
                [&](Transaction& tx) { return sessions::list(tx, Filter{.sgc_id = sgc_}, page); });
    expect_rows(60, "sessions of a server",
                [&](Transaction& tx) { return sessions::list(tx, Filter{.server_id = 1}, page); });
  }
}

TEST_F(PostgresqlQueryCostTest, TheFewAreFoundWithoutReadingTheMany) {
  using sessions::Filter;
  const auto cheap = [&](std::string_view what, auto work) { expect_rows(10, what, work); };
  cheap("live", [&](Transaction& tx) { return sessions::list(tx, Filter{.live_only = true}, {}); });
  cheap("live of an SGC", [&](Transaction& tx) {
    return sessions::list(tx, Filter{.sgc_id = sgc_, .live_only = true}, {});
  });
  cheap("live of a server", [&](Transaction& tx) {
    return sessions::list(tx, Filter{.server_id = 1, .live_only = true}, {});
  });
  cheap("running", [&](Transaction& tx) {
    return sessions::list(tx, Filter{.statuses = {SessionStatus::kRunning}}, {});
  });
  cheap("expired sessions", [&](Transaction& tx) { return sessions::expired(tx, 9, 10); });
  cheap("expired backups", [&](Transaction& tx) { return backups::expired(tx, 9, 10); });
  cheap("active", [&](Transaction& tx) { return backups::active(tx, sgc_); });
  cheap("deleting", [&](Transaction& tx) { return backups::deleting(tx, 10); });
  cheap("to verify",
        [&](Transaction& tx) { return backups::to_verify(tx, VerifiedHow::kHead, 9, 10); });
  cheap("to verify again",
        [&](Transaction& tx) { return backups::to_verify_again(tx, 0, 4, 9, 10); });
  cheap("to verify again of a policy",
        [&](Transaction& tx) { return backups::to_verify_again(tx, 5, 4, 9, 10); });
  cheap("policies that verify", [&](Transaction& tx) { return policies::verifying(tx, 9); });
  cheap("policies that drill",
        [&](Transaction& tx) { return policies::drilling(tx, 9, 3600, 10); });
  cheap("restorable", [&](Transaction& tx) { return backups::restorable(tx, sgc_); });
  cheap("restoring", [&](Transaction& tx) { return sessions::restoring_from(tx, 5); });
  cheap("due policies", [&](Transaction& tx) { return policies::due(tx, 9, 10); });
  cheap("runs that wait", [&](Transaction& tx) { return policy_runs::waiting(tx, 9, 10); });
  cheap("runs of a policy", [&](Transaction& tx) { return policy_runs::list(tx, 5, {}); });
  cheap("last good of a policy",
        [&](Transaction& tx) { return backups::last_fingerprinted(tx, 5); });
  cheap("waiting for a backup", [&](Transaction& tx) { return sessions::waiting_for(tx, 5); });
  cheap("undoing", [&](Transaction& tx) { return sessions::undoing(tx, sgc_); });
  cheap("removal of a backup", [&](Transaction& tx) { return backups::remove(tx, 77); });
  cheap("oldest of a lane",
        [&](Transaction& tx) { return outbox::oldest(tx, "command.host.3", 10); });
  expect_rows(100, "lanes", [&](Transaction& tx) { return outbox::lanes(tx, "me", 0); });
}

// The few may be many for a while, and the database's statistics know nothing of it yet.
TEST_F(PostgresqlQueryCostTest, OneOfManyThatAreAtWorkIsFoundAtOnce) {
  using sessions::Filter;
  must(database_->transact([&](Transaction& tx) {
    return query(tx, [&](soci::session& sql) -> Result<void> {
      sql << "INSERT INTO server_game_configs SELECT 100 + i, server_id, game_config_id, "
             "port_bindings, status, profile, handling FROM server_game_configs, "
             "generate_series(1, 1000) i";
      sql << "INSERT INTO sessions SELECT 100000 + i, 100 + i, server_id, created_at, 5, ended_at, "
             "exit_code, 'running', error_message, replaced_data, 0, 0, 0, NULL, restored_paths, "
             "NULL "
             "FROM sessions, generate_series(1, 1000) i WHERE session_id = 1";
      sql << "INSERT INTO backups SELECT 100000 + i, 100000 + i, 100 + i, s3_url, size_bytes, "
             "description, created_at, 'running', error_message, attempt, 99, sha256, 0, 0, "
             "started_at, finished_at, entries, warnings, format, level, consistency, evidence, "
             "pause_ms, changed_files, changed_count, NULL, '', 0, 5, verified_how, 0, "
             "verify_error, 5, 0 "
             "FROM backups, generate_series(1, 1000) i WHERE backup_id = 1";
      return {};
    });
  }));
  for (const int64_t sgc_id : {sgc_, int64_t{600}}) {
    expect_rows(10, "active", [&](Transaction& tx) { return backups::active(tx, sgc_id); });
    expect_rows(10, "live of an SGC", [&](Transaction& tx) {
      return sessions::list(tx, Filter{.sgc_id = sgc_id, .live_only = true}, Page{.size = 1});
    });
  }
  expect_rows(10, "expired backups", [&](Transaction& tx) { return backups::expired(tx, 9, 10); });
}

}  // namespace
}  // namespace manman::db
