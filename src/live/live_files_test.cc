#include "live/live_files.h"

#include <atomic>
#include <cstdlib>
#include <thread>

#include "archive/test_support.h"

namespace manman::live::test {
namespace {

using archive::test::MemorySink;
using archive::test::message_of;
using archive::test::read_all;
using archive::test::TempDir;
using archive::test::unpack_bytes;
using archive::test::write_file;
namespace fs = std::filesystem;

void make_database(const fs::path& path, const std::string& more = "") {
  const std::string sql = more + "CREATE TABLE t(x); INSERT INTO t VALUES(1);";
  const std::string command = "sqlite3 " + path.string() + " '" + sql + "' >/dev/null";
  ASSERT_EQ(std::system(command.c_str()), 0) << command;  // NOLINT(concurrency-mt-unsafe)
}

class LiveFilesTest : public testing::Test {
 protected:
  LiveFilesTest() : game_(dir_.make("game")), to_(dir_.make("to")) {}

  Result<archive::PackResult> pack(LiveOptions options = {}) {
    options.dir = game_;
    options.scratch = dir_.path() / "scratch";
    auto files = LiveFiles::create(std::move(options));
    if (!files) return std::unexpected(files.error());
    MemorySink sink;
    auto packed = archive::pack(game_, sink, {.threads = 2, .files = files->get()});
    evidence_ = (*files)->evidence();
    files->reset();
    EXPECT_FALSE(fs::exists(dir_.path() / "scratch"));
    if (packed) {
      EXPECT_TRUE(unpack_bytes(sink.bytes, to_));
    }
    return packed;
  }

  TempDir dir_;
  fs::path game_, to_;
  LiveEvidence evidence_;
};

TEST_F(LiveFilesTest, TakesDatabasesWithoutTheirJournals) {
  make_database(game_ / "a.db");
  make_database(game_ / "b.db", "PRAGMA journal_mode=PERSIST; CREATE TABLE u(y);");
  ASSERT_TRUE(fs::exists(game_ / "b.db-journal"));
  write_file(game_ / "b.db-journal.txt", "is none");
  write_file(game_ / "c.db-wal", "belongs to no database");
  const auto packed = pack();
  ASSERT_TRUE(packed) << message_of(packed);
  EXPECT_EQ(evidence_.databases, (std::vector<std::string>{"a.db", "b.db"}));
  EXPECT_EQ(packed->left_out, 1U);
  EXPECT_TRUE(fs::exists(to_ / "b.db"));
  EXPECT_FALSE(fs::exists(to_ / "b.db-journal"));
  EXPECT_TRUE(fs::exists(to_ / "b.db-journal.txt"));
  EXPECT_TRUE(fs::exists(to_ / "c.db-wal"));
}

// Closing it while SQLite reads would take SQLite's locks away.
TEST_F(LiveFilesTest, OneThatIsOpenElsewhereInThisProcessIsNotReadThroughSqlite) {
  make_database(game_ / "a.db");
  const UniqueFd other(::open((game_ / "a.db").c_str(), O_RDONLY | O_CLOEXEC));
  ASSERT_TRUE(pack());
  EXPECT_EQ(evidence_.database_count, 0U);
  EXPECT_EQ(evidence_.unreadable_databases, std::vector<std::string>{"a.db"});
  EXPECT_EQ(read_all(to_ / "a.db"), read_all(game_ / "a.db"));
}

TEST_F(LiveFilesTest, WhileNothingWritesFilesAreTakenAsTheyAre) {
  make_database(game_ / "a.db", "PRAGMA journal_mode=PERSIST; CREATE TABLE u(y);");
  write_file(game_ / "new", "x");
  ASSERT_TRUE(pack({.is_live = [] { return false; }}));
  EXPECT_EQ(evidence_.database_count + evidence_.copied_first + evidence_.unsteady_count, 0U);
  EXPECT_TRUE(fs::exists(to_ / "a.db-journal"));
}

TEST_F(LiveFilesTest, AGameThatGoesOnBetweenADatabaseAndItsJournalIsNoticed) {
  make_database(game_ / "a.db", "PRAGMA journal_mode=PERSIST; CREATE TABLE u(y);");
  int asked = 0;
  ASSERT_TRUE(pack({.is_live = [&] { return asked++ > 0; }}));
  EXPECT_EQ(evidence_.unsteady, std::vector<std::string>{"a.db-journal"});
}

TEST_F(LiveFilesTest, WhatWasWrittenLatelyIsCopiedFirst) {
  write_file(game_ / "new", std::string(300'000, 'n'));
  write_file(game_ / "large", std::string(300'001, 'l'));
  write_file(game_ / "empty", "");
  ASSERT_TRUE(pack({.max_copied_bytes = 300'000}));
  EXPECT_EQ(evidence_.copied_first, 1U);
  EXPECT_EQ(evidence_.unsteady_count, 0U);
  EXPECT_EQ(read_all(to_ / "new"), std::string(300'000, 'n'));
  EXPECT_EQ(read_all(to_ / "large"), std::string(300'001, 'l'));
  ASSERT_TRUE(pack({.recent = std::chrono::seconds(-60)}));
  EXPECT_EQ(evidence_.copied_first, 0U);
}

TEST_F(LiveFilesTest, WhatIsWrittenToAllTheTimeIsNamed) {
  write_file(game_ / "busy", std::string(5'000'000, 'x'));
  std::atomic<bool> ended = false;
  std::thread writer([&] {
    const UniqueFd fd(::open((game_ / "busy").c_str(), O_WRONLY | O_CLOEXEC));
    while (!ended) EXPECT_EQ(::pwrite(fd.get(), "y", 1, 0), 1);
  });
  const auto packed = pack();
  ended = true;
  writer.join();
  ASSERT_TRUE(packed) << message_of(packed);
  EXPECT_EQ(evidence_.unsteady, std::vector<std::string>{"busy"});
  EXPECT_EQ(fs::file_size(to_ / "busy"), 5'000'000U);
}

TEST_F(LiveFilesTest, ALinkThatIsPutOnTheWayLeadsNowhere) {
  fs::create_directories(game_ / "inner");
  make_database(game_ / "inner/a.db");
  fs::create_directories(dir_.path() / "secret");
  make_database(dir_.path() / "secret/a.db", "CREATE TABLE secret(z);");
  auto files = LiveFiles::create({.dir = game_, .scratch = dir_.path() / "scratch"});
  ASSERT_TRUE(files) << message_of(files);
  const UniqueFd fd(::open((game_ / "inner/a.db").c_str(), O_RDONLY | O_CLOEXEC));
  struct stat info{};
  ASSERT_EQ(::fstat(fd.get(), &info), 0);
  fs::rename(game_ / "inner", game_ / "old");
  fs::create_symlink(dir_.path() / "secret", game_ / "inner");
  const std::string path = "inner/a.db";
  const auto taking = (*files)->choose({.path = path, .fd = fd.get(), .info = info});
  ASSERT_TRUE(taking) << message_of(taking);
  EXPECT_EQ((*files)->evidence().unreadable_databases, std::vector<std::string>{path});
  // The same with a file in place of the file: another inode.
  fs::remove(game_ / "inner");
  fs::create_directory(game_ / "inner");
  fs::copy_file(dir_.path() / "secret/a.db", game_ / "inner/a.db");
  auto again = LiveFiles::create({.dir = game_,
                                  .scratch = dir_.path() / "scratch2",
                                  .sqlite_deadline = std::chrono::milliseconds(50)});
  ASSERT_TRUE(again) << message_of(again);
  const auto refused = (*again)->choose({.path = path, .fd = fd.get(), .info = info});
  EXPECT_EQ(archive::test::code_of(refused), Code::kDeadlineExceeded);
}

}  // namespace
}  // namespace manman::live::test
