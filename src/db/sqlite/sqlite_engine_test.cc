#include "db/sqlite/sqlite_engine.h"

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "base/file.h"
#include "db/soci_database.h"
#include "db/soci_transaction.h"
#include "db/test_database.h"

namespace manman::db {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

Error error_of_open(const std::string& url) {
  auto database = Database::open(url);
  if (database) throw std::runtime_error("opened " + url);
  return database.error();
}

template <typename T>
T answer_of(Database& database, const std::string& question) {
  return must(database.transact([&](Transaction& tx) {
    return query(tx, [&](soci::session& sql) -> Result<T> {
      T answer{};
      sql << question, soci::into(answer);
      return answer;
    });
  }));
}

TEST(SqliteOpenTest, RefusesWhatItCantOpenAndNamesIt) {
  const TempFolder folder;
  const std::string missing = (folder.path() / "missing/x.db").string();
  const Error no_folder = error_of_open("sqlite:" + missing);
  EXPECT_EQ(no_folder.code, Code::kInvalidArgument);
  EXPECT_THAT(no_folder.message, HasSubstr(missing));
  EXPECT_FALSE(fs::exists(folder.path() / "missing"));

  const Error a_folder = error_of_open("sqlite:" + folder.path().string());
  EXPECT_EQ(a_folder.code, Code::kInvalidArgument);
  EXPECT_THAT(a_folder.message, HasSubstr(folder.path().string()));

  const fs::path other = folder.path() / "notes.txt";
  std::ofstream(other) << std::string(5000, 'x');
  const Error no_database = error_of_open("sqlite:" + other.string());
  EXPECT_EQ(no_database.code, Code::kDataLoss);
  EXPECT_THAT(no_database.message, HasSubstr(other.string()));
  EXPECT_EQ(fs::file_size(other), 5000U);

  EXPECT_EQ(error_of_open("sqlite:").code, Code::kInvalidArgument);
  EXPECT_EQ(error_of_open("sqlite:" + folder.path().string() + "/a\"b.db").code,
            Code::kInvalidArgument);
}

TEST(SqliteOpenTest, RefusesAFolderThatCantBeWritten) {
  // Not even root makes files there.
  const Error error = error_of_open("sqlite:/sys/manman.db");
  EXPECT_EQ(error.code, Code::kPermissionDenied);
  EXPECT_THAT(error.message, HasSubstr("/sys/manman.db"));
}

TEST(SqliteOpenTest, RefusesOtherUrlsWithoutShowingTheirPassword) {
  for (const std::string url : {"mysql://root:hunter2@db/x", "root:hunter2@db", "", "x.db"}) {
    const Error error = error_of_open(url);
    EXPECT_EQ(error.code, Code::kInvalidArgument) << url;
    EXPECT_EQ(error.message.find("hunter2"), std::string::npos) << error.message;
  }
}

TEST(SqliteOpenTest, FileIsForItsOwnerOnlyAndDurable) {
  SqliteTestDatabase place;
  const auto database = place.open();
  must(database->migrate());
  for (const std::string suffix : {"", "-wal"}) {
    struct stat status = {};
    ASSERT_EQ(::stat((place.path() + suffix).c_str(), &status), 0) << suffix;
    EXPECT_EQ(status.st_mode & 0777, 0600U) << suffix;
  }
  EXPECT_EQ(answer_of<std::string>(*database, "PRAGMA journal_mode"), "wal");
  EXPECT_EQ(answer_of<int>(*database, "PRAGMA synchronous"), 2);  // FULL
  EXPECT_EQ(answer_of<int>(*database, "PRAGMA foreign_keys"), 1);
}

TEST(SqlitePingTest, SaysThatTheFileIsGone) {
  SqliteTestDatabase place;
  const auto database = place.open();
  must(database->migrate());
  must(database->ping());
  fs::remove(place.path());
  const auto ping = database->ping();
  ASSERT_FALSE(ping);
  EXPECT_EQ(ping.error().code, Code::kUnavailable);
  EXPECT_THAT(ping.error().message, HasSubstr(place.path()));
}

TEST(SqliteMigrationTest, OneThatFailsLeavesTheSchemaBeforeIt) {
  const TempFolder folder;
  const fs::path path = folder.path() / "x.db";
  const Migration broken[] = {
      {1, "0001_good", "CREATE TABLE one (id BIGSERIAL PRIMARY KEY);\n"},
      {2, "0002_bad", "CREATE TABLE two (id BIGINT);\nCREATE TABLE two (id BIGINT);\n"},
  };
  SociDatabase database(must(SqliteEngine::open(path)), broken);
  const auto migrated = database.migrate();
  ASSERT_FALSE(migrated);
  EXPECT_THAT(migrated.error().message, HasSubstr("two"));
  EXPECT_EQ(must(database.schema_version()), 1);
  const std::string tables =
      "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name IN ('one', 'two')";
  EXPECT_EQ(answer_of<int>(database, tables), 1);

  const Migration mended[] = {broken[0], {2, "0002_good", "CREATE TABLE two (id BIGINT);\n"}};
  SociDatabase again(must(SqliteEngine::open(path)), mended);
  must(again.migrate());
  EXPECT_EQ(must(again.schema_version()), 2);
  EXPECT_EQ(answer_of<int>(again, tables), 2);
}

// Commits games for ever and tells the pipe of each.
[[noreturn]] void commit_until_killed(const std::string& url, int pipe) {
  const auto database = must(Database::open(url));
  for (int n = 0;; n++) {
    const std::string name = std::to_string(::getpid()) + "/" + std::to_string(n);
    const int64_t id = must(database->transact([&](Transaction& tx) {
                         return games::create(tx, {.name = name});
                       })).game_id;
    if (::write(pipe, &id, sizeof id) != sizeof id) std::abort();
  }
}

// What a process that is killed in the midst of its work has reported as committed.
std::vector<int64_t> committed_before_kill(const std::string& url, size_t at_least) {
  int ends[2];
  if (::pipe(ends) != 0) throw std::runtime_error("pipe");
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(ends[0]);
    commit_until_killed(url, ends[1]);
  }
  const UniqueFd reader(ends[0]);
  ::close(ends[1]);
  std::vector<int64_t> ids;
  int64_t id = 0;
  while (::read(reader.get(), &id, sizeof id) == sizeof id) {
    ids.push_back(id);
    if (ids.size() == at_least) ::kill(child, SIGKILL);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << status;
  return ids;
}

TEST(SqliteCrashTest, WhatWasCommittedIsThereAfterAKill) {
  SqliteTestDatabase place;
  must(place.open()->migrate());
  std::vector<int64_t> ids;
  for (const size_t at_least : {1U, 20U, 60U}) {
    const auto more = committed_before_kill("sqlite:" + place.path(), at_least);
    EXPECT_GE(more.size(), at_least);
    ids.insert(ids.end(), more.begin(), more.end());
  }
  const auto database = place.open();
  must(database->transact([&](Transaction& tx) -> Result<void> {
    for (const int64_t id : ids) TRY(games::get(tx, id));
    return {};
  }));
  EXPECT_EQ(answer_of<std::string>(*database, "PRAGMA integrity_check"), "ok");
  must(database->transact([](Transaction& tx) { return games::create(tx, {.name = "next"}); }));
}

}  // namespace
}  // namespace manman::db
