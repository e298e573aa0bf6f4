#pragma once

#include <gtest/gtest.h>
#include <libpq-fe.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "db/database.h"
#include "db/repositories.h"

// For the tests of this folder: databases of every kind, empty and migrated, and rows to begin
// with.
namespace manman::db {

// The value of a result that must be good.
template <typename T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().text());
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

class TempFolder {
 public:
  TempFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "manman-db-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp");
    path_ = pattern;
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  ~TempFolder() { std::filesystem::remove_all(path_); }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// An empty database for one test; open() gives another, independent way into the same one.
class TestDatabase {
 public:
  virtual ~TestDatabase() = default;
  virtual std::unique_ptr<Database> open() = 0;
};

class SqliteTestDatabase final : public TestDatabase {
 public:
  std::unique_ptr<Database> open() override { return must(Database::open("sqlite:" + path())); }
  std::string path() const { return (folder_.path() / "a b=c.db").string(); }

 private:
  TempFolder folder_;
};

// A schema of its own in the database that MANMAN_TEST_PG_URL names (which sets no options).
class PostgresqlTestDatabase final : public TestDatabase {
 public:
  explicit PostgresqlTestDatabase(std::string server) : server_(std::move(server)) {
    static std::atomic<int> made{0};
    schema_ = "test_" + std::to_string(::getpid()) + "_" + std::to_string(made++);
    on_server("CREATE SCHEMA " + schema_);
  }
  ~PostgresqlTestDatabase() override {
    on_server("SET client_min_messages = warning; DROP SCHEMA " + schema_ + " CASCADE");
  }
  std::unique_ptr<Database> open() override { return must(Database::open(url())); }

  // With more settings of a session, "-c lock_timeout=1s".
  std::string url(const std::string& settings = "") const {
    const char before = server_.find('?') == std::string::npos ? '?' : '&';
    std::string options = "-c search_path=" + schema_ + " " + settings;
    for (size_t at = 0; (at = options.find_first_of(" =", at)) != std::string::npos; at += 3) {
      options.replace(at, 1, options[at] == ' ' ? "%20" : "%3D");
    }
    return server_ + before + "options=" + options;
  }

  void on_server(const std::string& statement) const {
    const std::unique_ptr<PGconn, decltype(&PQfinish)> sql(PQconnectdb(server_.c_str()), &PQfinish);
    const std::unique_ptr<PGresult, decltype(&PQclear)> done(PQexec(sql.get(), statement.c_str()),
                                                             &PQclear);
    const auto status = PQresultStatus(done.get());
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
      ADD_FAILURE() << PQerrorMessage(sql.get());
    }
  }

 private:
  std::string server_;
  std::string schema_;
};

struct DatabaseKind {
  std::string name;
  std::function<std::unique_ptr<TestDatabase>()> make;
};

inline std::vector<DatabaseKind> database_kinds() {
  std::vector<DatabaseKind> kinds{
      {"Sqlite", [] { return std::make_unique<SqliteTestDatabase>(); }}};
  if (const char* server = std::getenv("MANMAN_TEST_PG_URL")) {
    kinds.push_back(
        {"Postgresql", [server] { return std::make_unique<PostgresqlTestDatabase>(server); }});
  }
  return kinds;
}

// Every test of it runs on every kind of database:
//   TEST_P(SomeTest, Does) {…}
//   INSTANTIATE_TEST_SUITE_P(All, SomeTest, testing::ValuesIn(database_kinds()), kind_name);
class EveryDatabase : public testing::TestWithParam<DatabaseKind> {
 protected:
  void SetUp() override {
    place_ = GetParam().make();
    database_ = place_->open();
    must(database_->migrate());
  }

  // work(Transaction&) in a transaction that must succeed; its value.
  template <typename F>
  auto in_tx(F&& work) {
    return must(database_->transact(std::forward<F>(work)));
  }
  // The error of work in a transaction that must fail.
  template <typename F>
  Error error_of(F&& work) {
    auto result = database_->transact(std::forward<F>(work));
    if (result) throw std::runtime_error("succeeded, and should not");
    return result.error();
  }

  // A server, a game, its config and that deployed on the server; ids are given by the database.
  int64_t make_sgc() {
    const std::string n = std::to_string(++made_);
    return in_tx([&](Transaction& tx) -> Result<int64_t> {
      const Server server = TRY(servers::ensure(tx, "server" + n, "prod", 1000));
      const Game game = TRY(games::create(tx, {.name = "game" + n}));
      GameConfig config{.game_id = game.game_id, .name = "config"};
      config = TRY(game_configs::create(tx, config));
      ServerGameConfig sgc{.server_id = server.server_id, .game_config_id = config.config_id};
      return TRY(server_game_configs::create(tx, sgc))
      .sgc_id;
    });
  }
  int64_t make_session(int64_t sgc_id, SessionStatus status = SessionStatus::kRunning) {
    return in_tx([&](Transaction& tx) {
             return sessions::create(tx, {.sgc_id = sgc_id, .created_at = 1000, .status = status});
           })
        .session_id;
  }
  int64_t make_backup(int64_t sgc_id, BackupStatus status = BackupStatus::kCompleted) {
    return in_tx([&](Transaction& tx) {
             return backups::create(tx, {.sgc_id = sgc_id, .created_at = 1000, .status = status},
                                    "bucket");
           })
        .backup_id;
  }

  std::unique_ptr<TestDatabase> place_;
  std::unique_ptr<Database> database_;
  int made_ = 0;
};

inline std::string kind_name(const testing::TestParamInfo<DatabaseKind>& info) {
  return info.param.name;
}

}  // namespace manman::db
