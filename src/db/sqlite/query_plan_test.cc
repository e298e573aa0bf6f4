#include <gmock/gmock.h>

#include <set>

#include "db/events.h"
#include "db/soci.h"
#include "db/soci_transaction.h"
#include "db/test_database.h"
// After db/soci.h:
#include <soci/sqlite3/soci-sqlite3.h>

// What SQLite really does for the repositories' statements, which are caught as they run: none
// walks through a table that grows, and a page costs the same wherever it is.
namespace manman::db {
namespace {

using testing::HasSubstr;

struct Caught {
  std::set<std::string> statements;
  int64_t steps = 0;  // of SQLite's virtual machine
};

int catch_statement(unsigned, void* context, void* statement, void*) {
  auto& caught = *static_cast<Caught*>(context);
  auto* const running = static_cast<sqlite_api::sqlite3_stmt*>(statement);
  caught.statements.insert(sqlite_api::sqlite3_sql(running));
  caught.steps += sqlite_api::sqlite3_stmt_status(running, SQLITE_STMTSTATUS_VM_STEP, 1);
  return 0;
}

class QueryPlanTest : public testing::Test {
 protected:
  void SetUp() override {
    database_ = place_.open();
    must(database_->migrate());
    must(database_->transact([&](Transaction& tx) -> Result<void> {
      const Server server = TRY(servers::ensure(tx, "s", "", 1));
      const Game game = TRY(games::create(tx, {.name = "g"}));
      const auto config = TRY(game_configs::create(tx, {.game_id = game.game_id, .name = "c"}));
      sgc_ = TRY(server_game_configs::create(
          tx, {.server_id = server.server_id, .game_config_id = config.config_id}))
      .sgc_id;
      TRY(sessions::create(tx, {.sgc_id = sgc_, .status = SessionStatus::kCompleted}));
      TRY(backups::create(tx, {.sgc_id = sgc_, .status = BackupStatus::kCompleted}, "b"));
      return query(tx, multiply);
    }));
  }

  // Many ended sessions and completed backups, each like the first.
  static Result<void> multiply(soci::session& sql) {
    const std::string numbers =
        "WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) ";
    sql << numbers +
               "INSERT INTO sessions SELECT i, sgc_id, server_id, created_at, 5, ended_at, "
               "exit_code, status, error_message, replaced_data, 0, 0, 0, NULL, restored_paths, "
               "NULL "
               "FROM sessions, n";
    sql << numbers +
               "INSERT INTO backups SELECT i, i, server_game_config_id, s3_url, size_bytes, "
               "description, created_at, status, error_message, attempt, 0, sha256, 0, 0, "
               "started_at, finished_at, entries, warnings, format, level, consistency, evidence, "
               "pause_ms, changed_files, changed_count, NULL, '', 0, 5, verified_how, 0, "
               "verify_error, 5, 0, verify_failed_how, mark, adopted_at, verify_due "
               "FROM "
               "backups, n";
    return {};
  }

  // The statements that work runs, and what they cost.
  template <typename F>
  Caught catch_all(F&& work) {
    Caught caught;
    must(database_->transact([&](Transaction& tx) -> Result<void> {
      sqlite_api::sqlite3* handle = nullptr;
      TRY(query(tx, [&](soci::session& sql) -> Result<void> {
        handle = static_cast<soci::sqlite3_session_backend*>(sql.get_backend())->conn_;
        return {};
      }));
      sqlite_api::sqlite3_trace_v2(handle, SQLITE_TRACE_PROFILE, catch_statement, &caught);
      const auto done = work(tx);
      sqlite_api::sqlite3_trace_v2(handle, 0, nullptr, nullptr);
      if (!done) return std::unexpected(done.error());
      return {};
    }));
    return caught;
  }

  std::string plan_of(const std::string& statement) {
    return must(database_->transact([&](Transaction& tx) {
      return query(tx, [&](soci::session& sql) -> Result<std::string> {
        std::string plan;
        std::string detail;
        int number = 0;
        soci::statement explain =
            (sql.prepare << "EXPLAIN QUERY PLAN " + statement, soci::into(number),
             soci::into(number), soci::into(number), soci::into(detail));
        explain.execute();
        while (explain.fetch()) plan += detail + "\n";
        return plan;
      });
    }));
  }

  template <typename F>
  void expect_indexed(F&& work, std::string_view index) {
    const Caught caught = catch_all(work);
    ASSERT_FALSE(caught.statements.empty());
    std::string plans;
    for (const std::string& statement : caught.statements) {
      const std::string plan = plan_of(statement);
      EXPECT_EQ(plan.find("TEMP B-TREE"), std::string::npos) << statement << "\n" << plan;
      std::istringstream lines(plan);
      for (std::string line; std::getline(lines, line);) {
        // Walking all of a partial index is what it is for.
        const bool partial =
            line.find("USING INDEX backups_deleting") != std::string::npos ||
            line.find("USING INDEX backup_policies_verifying") != std::string::npos ||
            line.find("USING INDEX backup_policies_drilling") != std::string::npos;
        EXPECT_TRUE(!line.starts_with("SCAN") || partial) << statement << "\n" << plan;
      }
      plans += plan;
    }
    EXPECT_THAT(plans, HasSubstr(index));
  }

  SqliteTestDatabase place_;
  std::unique_ptr<Database> database_;
  int64_t sgc_ = 0;
};

TEST_F(QueryPlanTest, ListsOfBackupsWalkAlongAnIndex) {
  expect_indexed([&](Transaction& tx) { return backups::list(tx, {}, {}); },
                 "PRIMARY KEY (rowid<?)");
  expect_indexed([&](Transaction& tx) { return backups::list(tx, {.sgc_id = sgc_}, {}); },
                 "backups_of_sgc");
  expect_indexed([&](Transaction& tx) { return backups::list(tx, {.session_id = 5}, {}); },
                 "backups_of_session");
  expect_indexed([&](Transaction& tx) { return backups::active(tx, sgc_); }, "backups_one_active");
  expect_indexed([&](Transaction& tx) { return backups::expired(tx, 9, 10); }, "backups_leased");
  expect_indexed([&](Transaction& tx) { return backups::deleting(tx, 10); }, "backups_deleting");
  expect_indexed([&](Transaction& tx) { return backups::to_verify(tx, VerifiedHow::kFull, 9, 10); },
                 "backups_verify_due");
  expect_indexed([&](Transaction& tx) { return backups::to_verify_again(tx, 0, 4, 9, 10); },
                 "backups_looked_at");
  expect_indexed([&](Transaction& tx) { return backups::to_verify_again(tx, 5, 4, 9, 10); },
                 "backups_looked_at_of_policy");
  expect_indexed([&](Transaction& tx) { return policies::verifying(tx, 9); },
                 "backup_policies_verifying");
  expect_indexed([&](Transaction& tx) { return policies::drilling(tx, 9, 3600, 10); },
                 "backup_policies_drilling");
  expect_indexed([](Transaction& tx) { return backups::placed(tx, "s3://b/", "s3://b0", {}, 100); },
                 "backups_by_url");
  expect_indexed(
      [](Transaction& tx) {
        return backups::placed(tx, "s3://b/", "s3://b0", {"s3://b/backups/1/1.tar.gz", 7}, 100);
      },
      "backups_by_url");
  expect_indexed(
      [](Transaction& tx) { return backups::placed_at(tx, "s3://b/backups/1/1.tar.gz"); },
      "backups_by_url");
  expect_indexed([&](Transaction& tx) { return backups::restorable(tx, sgc_); },
                 "backups_restorable");
}

TEST_F(QueryPlanTest, ListsOfSessionsWalkAlongAnIndex) {
  using sessions::Filter;
  expect_indexed([&](Transaction& tx) { return sessions::list(tx, Filter{}, {}); },
                 "PRIMARY KEY (rowid<?)");
  expect_indexed([&](Transaction& tx) { return sessions::list(tx, Filter{.sgc_id = sgc_}, {}); },
                 "sessions_of_sgc");
  expect_indexed([&](Transaction& tx) { return sessions::list(tx, Filter{.server_id = 1}, {}); },
                 "sessions_of_server");
  expect_indexed(
      [&](Transaction& tx) {
        return sessions::list(tx, Filter{.sgc_id = sgc_, .live_only = true}, {});
      },
      "sessions_live");
  expect_indexed([&](Transaction& tx) { return sessions::expired(tx, 9, 10); }, "sessions_leased");
  expect_indexed([&](Transaction& tx) { return sessions::restoring_from(tx, 5); },
                 "sessions_restored_from");
}

TEST_F(QueryPlanTest, PoliciesAndTheirRunsWalkAlongAnIndex) {
  expect_indexed([&](Transaction& tx) { return policies::list(tx, 0, {}); },
                 "PRIMARY KEY (rowid<?)");
  expect_indexed([&](Transaction& tx) { return policies::list(tx, sgc_, {}); },
                 "backup_policies_of_sgc");
  expect_indexed([&](Transaction& tx) { return policies::due(tx, 9, 10); }, "backup_policies_due");
  expect_indexed([&](Transaction& tx) { return policy_runs::list(tx, 5, {}); },
                 "policy_runs_of_policy");
  expect_indexed([&](Transaction& tx) { return policy_runs::waiting(tx, 9, 10); },
                 "policy_runs_waiting");
  expect_indexed([&](Transaction& tx) { return policy_runs::waiting_of(tx, 5); },
                 "policy_runs_of_policy");
  expect_indexed([&](Transaction& tx) { return policy_runs::missed_after(tx, 5, 5); },
                 "policy_runs_of_policy");
  expect_indexed([&](Transaction& tx) { return policy_runs::of_backup(tx, 5); },
                 "policy_runs_of_backup");
  expect_indexed([&](Transaction& tx) { return backups::last_fingerprinted(tx, 5); },
                 "backups_of_policy");
  expect_indexed([&](Transaction& tx) { return sessions::waiting_for(tx, 5); }, "sessions_waiting");
}

TEST_F(QueryPlanTest, EventsAndDeliveriesWalkAlongAnIndex) {
  const auto kind = EventKind::kBackupFailed;
  expect_indexed([&](Transaction& tx) { return events::list(tx, {}, {}); },
                 "PRIMARY KEY (rowid<?)");
  expect_indexed([&](Transaction& tx) { return events::list(tx, {.sgc_id = 5}, {}); },
                 "events_of_sgc");
  expect_indexed([&](Transaction& tx) { return events::list(tx, {.kind = kind}, {}); },
                 "events_of_kind");
  expect_indexed([&](Transaction& tx) { return events::list(tx, {5, kind}, {}); },
                 "events_of_sgc_and_kind");
  expect_indexed([&](Transaction& tx) { return events::after(tx, 5, 10); },
                 "PRIMARY KEY (rowid>?)");
  expect_indexed([&](Transaction& tx) { return events::prune(tx, 5, 10); }, "events_at");
  expect_indexed(
      [&](Transaction& tx) { return events::count_since(tx, kind, {.server_id = 1}, 5); },
      "events_of_kind_at");
  expect_indexed([&](Transaction& tx) { return webhook_deliveries::next(tx, 5, 9); },
                 "webhook_deliveries_waiting");
  expect_indexed([&](Transaction& tx) { return webhook_deliveries::list(tx, 5, {}); },
                 "webhook_deliveries_of");
  expect_indexed([&](Transaction& tx) { return backups::stored_bytes_of(tx, {.sgc_id = sgc_}); },
                 "backups_stored_bytes");
  expect_indexed([&](Transaction& tx) { return backups::active_of(tx, {.sgc_id = sgc_}); },
                 "backups_one_active");
}

TEST_F(QueryPlanTest, RowsAreWrittenAndRemovedByTheirKeys) {
  expect_indexed(
      [&](Transaction& tx) -> Result<void> {
        Backup backup = TRY(backups::get(tx, 10));
        TRY(backups::update(tx, backup));
        Session session = TRY(sessions::get(tx, 10));
        return sessions::update(tx, session);
      },
      "PRIMARY KEY (rowid=?)");
}

TEST_F(QueryPlanTest, APageCostsTheSameEverywhere) {
  const auto cost = [&](auto list) { return catch_all(list).steps; };
  using sessions::Filter;
  const auto check = [&](std::string_view what, auto list) {
    const int64_t first = cost([&](Transaction& tx) { return list(tx, Page{.size = 100}); });
    const int64_t deep =
        cost([&](Transaction& tx) { return list(tx, Page{.size = 100, .before_id = 5000}); });
    EXPECT_GT(first, 0) << what;
    EXPECT_LE(deep, first + first / 10) << what;
    EXPECT_LE(first, 100 * 200) << what;  // a hundred rows of some twenty columns
  };
  check("backups", [&](Transaction& tx, Page page) { return backups::list(tx, {}, page); });
  check("backups of an SGC",
        [&](Transaction& tx, Page page) { return backups::list(tx, {.sgc_id = sgc_}, page); });
  check("sessions of an SGC", [&](Transaction& tx, Page page) {
    return sessions::list(tx, Filter{.sgc_id = sgc_}, page);
  });
  check("sessions of a server", [&](Transaction& tx, Page page) {
    return sessions::list(tx, Filter{.server_id = 1}, page);
  });
}

// Asked for often, and few among many.
TEST_F(QueryPlanTest, LiveAndExpiredAreFoundWithoutReadingTheEnded) {
  using sessions::Filter;
  const auto cheap = [&](std::string_view what, auto work) {
    EXPECT_LE(catch_all(work).steps, 500) << what;
  };
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
  cheap("offline", [&](Transaction& tx) { return servers::mark_offline(tx, 0); });
  cheap("removal of a backup", [&](Transaction& tx) { return backups::remove(tx, 77); });
}

}  // namespace
}  // namespace manman::db
