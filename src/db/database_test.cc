#include "db/database.h"

#include <gmock/gmock.h>

#include <atomic>
#include <latch>
#include <thread>

#include "db/migrations.h"
#include "db/soci_transaction.h"
#include "db/test_database.h"
#include "domain/handling_layers.h"

namespace manman::db {
namespace {

using testing::HasSubstr;

class DatabaseTest : public EveryDatabase {
 protected:
  size_t games() {
    return in_tx([](Transaction& tx) { return games::list(tx, Page{}); }).size();
  }
};
INSTANTIATE_TEST_SUITE_P(All, DatabaseTest, testing::ValuesIn(database_kinds()), kind_name);

// Runs work(i) on so many threads, all at once.
void on_threads(int count, const std::function<void(int)>& work) {
  std::latch start(count);
  std::vector<std::jthread> threads;
  for (int i = 0; i < count; i++) {
    threads.emplace_back([&, i] {
      start.arrive_and_wait();
      work(i);
    });
  }
}

TEST_P(DatabaseTest, WorkThatFailsOrThrowsChangesNothing) {
  const Error error = error_of([](Transaction& tx) -> Result<void> {
    TRY(games::create(tx, {.name = "half"}));
    return fail(Code::kAborted, "changed my mind");
  });
  EXPECT_EQ(error.code, Code::kAborted);
  EXPECT_EQ(error.message, "changed my mind");
  EXPECT_THROW((void)database_->transact([](Transaction& tx) -> Result<void> {
    TRY(games::create(tx, {.name = "half"}));
    throw std::logic_error("thrown");
  }),
               std::logic_error);
  EXPECT_EQ(games(), 0U);
  in_tx([](Transaction& tx) { return games::create(tx, {.name = "half"}); });
  EXPECT_EQ(games(), 1U);
}

TEST_P(DatabaseTest, WhatWasBegunGoesBeforeRequests) {
  constexpr int kRequests = 40;  // under way at once, more than there are connections
  std::atomic<int> served = 0;
  std::atomic<bool> enough = false;
  std::vector<std::jthread> requests;
  for (int i = 0; i < kRequests; i++) {
    requests.emplace_back([&] {
      while (!enough) {
        must(database_->for_requests().look(
            [](Transaction& tx) { return games::list(tx, Page{}); }));
        served++;
      }
    });
  }
  std::vector<int> overtaken_by;
  while (served < kRequests) std::this_thread::yield();
  for (int i = 0; i < 51; i++) {
    const int before = served;
    must(database_->look([&](Transaction&) -> Result<void> {
      overtaken_by.push_back(served - before);
      return {};
    }));
  }
  enough = true;
  requests.clear();
  std::ranges::nth_element(overtaken_by, overtaken_by.begin() + 25);
  EXPECT_LT(overtaken_by[25], kRequests / 4) << "in the order of asking it is all of them";
}

TEST_P(DatabaseTest, FailedStatementCantBeOverlooked) {
  const Error error = error_of([](Transaction& tx) -> Result<void> {
    TRY(games::create(tx, {.name = "before"}));
    const Result<void> failed = query(tx, [](soci::session& sql) -> Result<void> {
      sql << "INSERT INTO no_such_table VALUES (1)";
      return {};
    });
    EXPECT_FALSE(failed);
    EXPECT_FALSE(games::create(tx, {.name = "after"}));
    return {};  // as if all were well
  });
  EXPECT_THAT(error.message, HasSubstr("no_such_table"));
  EXPECT_EQ(games(), 0U);
}

TEST_P(DatabaseTest, ReferencesAreHeldByTheDatabaseItself) {
  const int64_t sgc = make_sgc();
  const auto running = [&](const char* statement) {
    return error_of([&](Transaction& tx) {
      return query(tx, [&](soci::session& sql) -> Result<void> {
        sql << statement;
        return {};
      });
    });
  };
  EXPECT_EQ(running("DELETE FROM servers").code, Code::kFailedPrecondition);
  make_backup(sgc, BackupStatus::kRunning);
  const Error second_active = running(
      "INSERT INTO backups SELECT backup_id + 1, session_id, server_game_config_id, s3_url, "
      "size_bytes, description, created_at, status, error_message, attempt, lease_until_ms, "
      "sha256, progress_bytes, total_bytes, started_at, finished_at, entries, warnings, "
      "format, level, consistency, evidence, pause_ms, changed_files, changed_count, NULL, '', 0, "
      "verified_at, verified_how, verify_failed_at, verify_error, looked_at, verify_lease_ms, "
      "verify_failed_how, mark, adopted_at, verify_due "
      "FROM backups");
  EXPECT_EQ(second_active.code, Code::kAborted);
}

TEST_P(DatabaseTest, TransactionInsideAnotherIsRefusedAtOnce) {
  in_tx([&](Transaction& tx) -> Result<void> {
    const auto inner = database_->transact(
        [](Transaction& inner_tx) { return games::create(inner_tx, {.name = "inner"}); });
    EXPECT_FALSE(inner);
    EXPECT_EQ(inner.error().code, Code::kInternal);
    TRY(games::create(tx, {.name = "outer"}));
    return {};
  });
  EXPECT_EQ(games(), 1U);
}

// Half of the threads come by another Database on the same data, as another process would.
TEST_P(DatabaseTest, NoUpdateIsLostAndNobodyIsTurnedAway) {
  constexpr int kThreads = 8;
  constexpr int kRounds = 25;
  const int64_t server =
      in_tx([](Transaction& tx) { return servers::ensure(tx, "s", "", 0); }).server_id;
  const auto second = place_->open();
  std::atomic<int> failed = 0;
  on_threads(kThreads, [&](int i) {
    Database& database = i % 2 == 0 ? *database_ : *second;
    for (int round = 0; round < kRounds; round++) {
      const auto done = database.transact([&](Transaction& tx) -> Result<void> {
        const int64_t count = TRY(servers::get(tx, server))
        .last_seen;
        return servers::seen(tx, server, count + 1);
      });
      if (!done) {
        failed++;
        ADD_FAILURE() << done.error().message;
      }
    }
  });
  EXPECT_EQ(failed, 0);
  const auto count = in_tx([&](Transaction& tx) { return servers::get(tx, server); }).last_seen;
  EXPECT_EQ(count, kThreads * kRounds);
}

TEST_P(DatabaseTest, OneOfManyAtOnceGetsTheActiveBackup) {
  const int64_t sgc = make_sgc();
  const auto second = place_->open();
  std::atomic<int> won = 0;
  std::atomic<int> refused = 0;
  on_threads(8, [&](int i) {
    Database& database = i % 2 == 0 ? *database_ : *second;
    const auto made = database.transact(
        [&](Transaction& tx) { return backups::create(tx, {.sgc_id = sgc}, "b"); });
    if (made) {
      won++;
    } else if (made.error().code == Code::kFailedPrecondition) {
      refused++;
    }
  });
  EXPECT_EQ(won, 1);
  EXPECT_EQ(refused, 7);
}

TEST_P(DatabaseTest, CommittedRowsAreSeenByOthersAndAfterReopening) {
  const auto second = place_->open();
  in_tx([](Transaction& tx) { return games::create(tx, {.name = "kept"}); });
  const auto names = [](Database& database) {
    std::vector<std::string> found;
    for (const Game& game :
         must(database.transact([](Transaction& tx) { return games::list(tx, Page{}); }))) {
      found.push_back(game.name);
    }
    return found;
  };
  EXPECT_THAT(names(*second), testing::ElementsAre("kept"));
  database_.reset();
  EXPECT_THAT(names(*place_->open()), testing::ElementsAre("kept"));
}

TEST_P(DatabaseTest, PingAnswers) {
  EXPECT_TRUE(database_->ping());
}

TEST_P(DatabaseTest, NewerSchemaIsLeftAlone) {
  in_tx([](Transaction& tx) {
    return query(tx, [](soci::session& sql) -> Result<void> {
      sql << "INSERT INTO schema_migrations (version, name) VALUES (9999, 'of_the_future')";
      return {};
    });
  });
  const auto migrated = database_->migrate();
  ASSERT_FALSE(migrated);
  EXPECT_EQ(migrated.error().code, Code::kFailedPrecondition);
  EXPECT_THAT(migrated.error().message, HasSubstr("9999"));
  EXPECT_EQ(must(database_->schema_version()), 9999);
}

class MigrationTest : public testing::TestWithParam<DatabaseKind> {};
INSTANTIATE_TEST_SUITE_P(All, MigrationTest, testing::ValuesIn(database_kinds()), kind_name);

TEST_P(MigrationTest, BringsAnEmptyDatabaseToTheNewestSchemaOnce) {
  const auto place = GetParam().make();
  const auto database = place->open();
  EXPECT_EQ(must(database->schema_version()), 0);
  const int newest = embedded_migrations().back().number;
  for (int round = 0; round < 2; round++) {
    must(database->migrate());
    EXPECT_EQ(must(database->schema_version()), newest);
  }
}

TEST_P(MigrationTest, ManyMayDoSoAtOnce) {
  const auto place = GetParam().make();
  on_threads(6, [&](int) {
    try {
      must(place->open()->migrate());
    } catch (const std::exception& error) {
      ADD_FAILURE() << error.what();
    }
  });
  EXPECT_EQ(must(place->open()->schema_version()), embedded_migrations().back().number);
}

// A database as version 8 left it, with configs of that time.
void make_version_8(Database& database) {
  must(database.transact([](Transaction& tx) {
    return query(tx, [&](soci::session& sql) -> Result<void> {
      sql << "CREATE TABLE schema_migrations (version INTEGER PRIMARY KEY, name TEXT NOT NULL)";
      for (const Migration& migration : embedded_migrations().first(8)) {
        for (std::string& statement : split_statements(migration.sql))
          sql << engine_of(tx).translate(std::move(statement));
        const std::string name(migration.name);
        sql << "INSERT INTO schema_migrations VALUES (:version, :name)",
            soci::use(migration.number), soci::use(name);
      }
      sql << "INSERT INTO games (name, steam_app_id) VALUES ('g', '')";
      const auto config = [&](int id, const std::string& stop, int grace,
                              const std::string& quiesce, const std::string& resume) {
        sql << "INSERT INTO game_configs (game_id, name, image, args_template, env_template, "
               "entrypoint, command, stop_command, stop_grace_seconds, quiesce, resume) VALUES "
               "(1, :name, '', '', '{}', '[]', '[]', :stop, :grace, :quiesce, :resume)",
            soci::use(std::to_string(id)), soci::use(stop), soci::use(grace), soci::use(quiesce),
            soci::use(resume);
      };
      config(1, "", 30, "[]", "[]");
      config(2, "say \"a\\b\"\t:x", 90,
             R"([{"confirm_regex":"^Saved \\\"it\\\"$","input":"save-off","timeout_seconds":20}])",
             R"(["save-on","say :done"])");
      config(3, "stop", 30, "[]", "[]");
      config(4, "", 60, "[]", R"(["x"])");
      return {};
    });
  }));
}

TEST_P(MigrationTest, WhatOldConfigsSaidOfTheirHandlingIsKept) {
  const auto place = GetParam().make();
  const auto database = place->open();
  make_version_8(*database);
  must(database->migrate());
  const auto handling = [&](int64_t id) {
    const auto config =
        must(database->transact([&](Transaction& tx) { return game_configs::get(tx, id); }));
    EXPECT_EQ(config.profile, "");
    EXPECT_EQ(config.name, std::to_string(id));
    return must(merged_handling({config.handling}));
  };
  EXPECT_EQ(handling(1), Handling{});
  const Handling full{.stop_command = "say \"a\\b\"\t:x",
                      .stop_grace_seconds = 90,
                      .rcon = {},
                      .quiesce = {{"save-off", "^Saved \\\"it\\\"$", 20}},
                      .resume = {"save-on", "say :done"},
                      .files_root = {},
                      .leave_out = {}};
  EXPECT_EQ(handling(2), full);
  EXPECT_EQ(handling(3), Handling{.stop_command = "stop"});
  EXPECT_EQ(handling(4), (Handling{.stop_grace_seconds = 60, .resume = {"x"}}));
}

TEST(EmbeddedMigrationsTest, AreNumberedFromOneWithoutGaps) {
  ASSERT_FALSE(embedded_migrations().empty());
  int expected = 1;
  for (const Migration& migration : embedded_migrations()) {
    EXPECT_EQ(migration.number, expected++) << migration.name;
    EXPECT_FALSE(split_statements(migration.sql).empty()) << migration.name;
  }
}

TEST(SplitStatementsTest, EndsAtSemicolonsAtTheEndOfALine) {
  EXPECT_THAT(
      split_statements("-- a; comment\nCREATE x (\n  a, -- ok\n  b);\n\n  -- more\n"
                       "INSERT ';' x;  \nLAST"),
      testing::ElementsAre("CREATE x (\n  a, -- ok\n  b);\n", "INSERT ';' x;  \n", "LAST\n"));
  EXPECT_THAT(split_statements(""), testing::IsEmpty());
}

}  // namespace
}  // namespace manman::db
