#include "examine/examine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>

#include "archive/test_support.h"
#include "examine/test_bytes.h"

namespace manman::examine::test {
namespace {

using archive::test::message_of;
using archive::test::read_all;
using archive::test::TempDir;
using archive::test::write_file;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
namespace fs = std::filesystem;

constexpr size_t kSector = 4096;

// A region file, chunk by chunk.
class RegionMaker {
 public:
  RegionMaker() : bytes_(2 * kSector, '\0') {}

  // Puts it at the end, in whole sectors.
  RegionMaker& chunk(int x, int z, int kind, const std::string& data) {
    const size_t first = bytes_.size() / kSector;
    bytes_ += be32(static_cast<int64_t>(data.size()) + 1) + be8(kind) + data;
    bytes_.resize((bytes_.size() + kSector - 1) / kSector * kSector);
    return at(x, z, first, bytes_.size() / kSector - first);
  }
  RegionMaker& zlib(int x, int z, const std::string& nbt) {
    return chunk(x, z, 2, deflated(nbt, false));
  }
  RegionMaker& at(int x, int z, size_t first, size_t sectors) {
    const auto location = static_cast<int64_t>(first << 8 | sectors);
    bytes_.replace(size_t{4} * static_cast<size_t>(z * 32 + x), 4, be32(location));
    return *this;
  }
  RegionMaker& put(size_t offset, const std::string& bytes) {
    bytes_.replace(offset, bytes.size(), bytes);
    return *this;
  }
  RegionMaker& cut(size_t size) {
    bytes_.resize(size);
    return *this;
  }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

// Data that does not compress: `size` bytes in an array.
std::string noise(size_t size) {
  std::string bytes;
  uint32_t state = 1;
  while (bytes.size() < size) bytes += be8((state = state * 1664525 + 1013904223) >> 24);
  return compound(tag(7, "noise") + be32(static_cast<int64_t>(size)) + bytes);
}

class ExamineTest : public testing::Test {
 protected:
  ExamineTest() : game_(dir_.make("game")) {}

  Report examine(std::vector<ExamineRule> rules = {}) {
    const auto report =
        examine::examine(game_, {.rules = std::move(rules), .scratch = dir_.path() / "scratch"});
    EXPECT_TRUE(report) << message_of(report);
    EXPECT_FALSE(fs::exists(dir_.path() / "scratch"));
    return report.value_or(Report());
  }
  std::vector<std::string> problems(std::vector<ExamineRule> rules = {}) {
    std::vector<std::string> lines;
    for (const Finding& finding : examine(std::move(rules)).problems)
      lines.push_back(finding.text());
    return lines;
  }
  void sql(const std::string& name, const std::string& statements) {
    const std::string command = "sqlite3 " + (game_ / name).string() + " \"" + statements + "\"";
    ASSERT_EQ(std::system(command.c_str()), 0) << command;  // NOLINT(concurrency-mt-unsafe)
  }

  TempDir dir_;
  fs::path game_;
};

TEST_F(ExamineTest, WholeRegions) {
  const std::string nbt = compound(tag(3, "xPos") + be32(1));
  RegionMaker region;
  region.zlib(0, 0, nbt)
      .chunk(31, 0, 1, deflated(nbt, true))
      .chunk(0, 31, 3, nbt)
      .zlib(5, 5, noise(20'000));
  write_file(game_ / "r.0.-1.mca", region.bytes());
  write_file(game_ / "r.0.0.mca", "");
  // One that was not closed ends within its last sector.
  RegionMaker open;
  open.zlib(1, 1, nbt);
  write_file(game_ / "r.1.0.mca", open.bytes().substr(0, 2 * kSector + 60));
  const Report report = examine();
  EXPECT_THAT(report.problems, IsEmpty());
  EXPECT_EQ(report.regions, 3U);
  EXPECT_EQ(report.chunks, 5U);
  EXPECT_EQ(report.unexamined_count, 0U);
}

TEST_F(ExamineTest, DamagedRegions) {
  const std::string nbt = compound(tag(3, "xPos") + be32(1));
  const std::string packed = deflated(noise(6000), false);
  const auto two = [&] { return RegionMaker().zlib(0, 0, noise(6000)).zlib(1, 0, nbt); };
  const struct {
    const char* what;
    std::string bytes, problem;
  } table[] = {
      {"short header", std::string(100, '\0'), "r.0.0.mca: header: the file has 100 bytes"},
      {"in the header", two().at(0, 0, 1, 1).bytes(), "chunk 0 0: its sector 1 lies in the header"},
      {"no sectors", two().at(1, 0, 4, 0).bytes(), "chunk 1 0: its sector 4 has a length of 0"},
      {"beyond the end", two().at(1, 0, 900, 1).bytes(), "chunk 1 0: its sector 900 lies beyond"},
      {"far beyond", two().at(1, 0, 0xffffff, 255).bytes(), "its sector 16777215 lies beyond"},
      {"overlap", two().at(1, 0, 2, 2).bytes(), "chunk 1 0: its sectors are also those of"},
      {"overlap by one", two().at(0, 0, 2, 3).bytes(), "chunk 1 0: its sectors are also those of"},
      {"no length", two().put(2 * kSector, be32(0)).bytes(), "its length of 0 bytes does not fit"},
      {"longer than its sectors", two().put(2 * kSector, be32(8189)).bytes(),
       "chunk 0 0: its length of 8189 bytes does not fit its 2 sectors"},
      {"huge", two().put(2 * kSector, be32(-1)).bytes(), "its length of 4294967295 bytes"},
      {"huge in 255", two().at(1, 0, 4, 255).put(4 * kSector, be32(-1)).bytes(),
       "chunk 1 0: the file ends within it"},
      {"cut short", two().cut(3 * kSector).bytes(), "chunk 0 0: the file ends within it"},
      {"compression 9", two().put(2 * kSector + 4, be8(9)).bytes(), "there is no compression 9"},
      {"compression 0", two().put(2 * kSector + 4, be8(0)).bytes(), "there is no compression 0"},
      {"gzip that is none", two().put(2 * kSector + 4, be8(1)).bytes(), "damaged or cut short"},
      {"a bit flipped", two().put(2 * kSector + 400, be8(~packed[395])).bytes(),
       "chunk 0 0: its compressed data is damaged"},
      {"truncated zlib", RegionMaker().chunk(2, 3, 2, packed.substr(0, packed.size() / 2)).bytes(),
       "chunk 2 3: its compressed data is damaged or cut short"},
      {"zeros", two().put(2 * kSector, std::string(2 * kSector, '\0')).bytes(), "length of 0"},
      {"bad NBT", RegionMaker().zlib(7, 7, compound(tag(7, "x") + be32(-1))).bytes(),
       "chunk 7 7: byte 11 of its NBT: the length of an array is negative"},
      {"no external file", RegionMaker().chunk(1, 2, 0x82, "").bytes(),
       "chunk 1 2: stands in a file of its own, c.1.2.mcc, which is not there"},
  };
  for (const auto& [what, bytes, problem] : table) {
    write_file(game_ / "r.0.0.mca", bytes);
    EXPECT_THAT(problems(), testing::Contains(HasSubstr(problem))) << what;
    EXPECT_EQ(read_all(game_ / "r.0.0.mca"), bytes) << what;
  }
}

TEST_F(ExamineTest, ChunksInFilesOfTheirOwn) {
  RegionMaker region;
  region.chunk(1, 2, 0x82, "");
  write_file(game_ / "r.-1.2.mca", region.bytes());
  write_file(game_ / "c.-31.66.mcc", deflated(noise(2'000'000), false));
  EXPECT_THAT(problems(), IsEmpty());
  write_file(game_ / "c.-31.66.mcc", "none");
  EXPECT_THAT(problems(), ElementsAre(HasSubstr("chunk 1 2: c.-31.66.mcc: its compressed data")));
  // A link leads out of the world.
  write_file(dir_.path() / "outside", deflated(noise(10), false));
  fs::remove(game_ / "c.-31.66.mcc");
  fs::create_symlink("../outside", game_ / "c.-31.66.mcc");
  EXPECT_THAT(problems(), ElementsAre(HasSubstr("c.-31.66.mcc, which is not there")));
}

TEST_F(ExamineTest, WhatIsNotExaminedIsNamed) {
  RegionMaker region;
  region.chunk(0, 0, 4, "LZ4Block").chunk(1, 0, 127, "own");
  region.zlib(2, 0, compound(tag(7, "zeros") + be32(80 << 20) + std::string(80 << 20, '\0')));
  write_file(game_ / "r.0.0.mca", region.bytes());
  const Report report = examine();
  EXPECT_TRUE(report.whole());
  ASSERT_EQ(report.unexamined_count, 3U);
  EXPECT_THAT(report.unexamined[0].text(), HasSubstr("chunk 0 0: is compressed by LZ4"));
  EXPECT_THAT(report.unexamined[1].text(), HasSubstr("a mod's own"));
  EXPECT_THAT(report.unexamined[2].text(), HasSubstr("larger than 64 MiB decompressed"));
}

TEST_F(ExamineTest, NbtFilesByRule) {
  const std::string nbt = compound(tag(3, "x") + be32(1));
  fs::create_directories(game_ / "world/playerdata");
  write_file(game_ / "world/level.dat", deflated(nbt, true));
  write_file(game_ / "world/playerdata/a.dat", deflated(nbt, false));
  write_file(game_ / "world/playerdata/b.dat", nbt);
  write_file(game_ / "world/playerdata/c.txt", "text");
  const std::vector<ExamineRule> rules{{"level.dat", ExamineAs::kNbt},
                                       {"**/playerdata/*.dat", ExamineAs::kNbt}};
  Report report = examine(rules);
  EXPECT_THAT(report.problems, IsEmpty());
  EXPECT_EQ(report.nbt_files, 3U);
  EXPECT_EQ(report.other_files, 1U);
  write_file(game_ / "world/level.dat", deflated(nbt, true).substr(0, 20));
  write_file(game_ / "world/playerdata/a.dat", "");
  write_file(game_ / "world/playerdata/b.dat", std::string(50, '\0'));
  EXPECT_THAT(problems(rules),
              ElementsAre("world/level.dat: its compressed data is damaged or cut short",
                          HasSubstr("playerdata/a.dat: byte 0"),
                          HasSubstr("playerdata/b.dat: byte 1 of its NBT: it does not begin")));
  auto other = rules;
  other.push_back({"world/*", ExamineAs::kNothing});
  other.push_back({"**/playerdata/*", ExamineAs::kNothing});
  EXPECT_THAT(problems(other), IsEmpty());
}

TEST_F(ExamineTest, Databases) {
  sql("good", "CREATE TABLE t(a, b UNIQUE); INSERT INTO t VALUES(1, randomblob(90000));");
  sql("wal", "PRAGMA journal_mode=WAL; CREATE TABLE t(x); INSERT INTO t VALUES(1);");
  sql("bad",
      "CREATE TABLE t(a UNIQUE); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n "
      "WHERE i<5000) INSERT INTO t SELECT hex(randomblob(20)) FROM n;");
  Report report = examine();
  EXPECT_THAT(report.problems, IsEmpty()) << report.problems[0].text();
  EXPECT_EQ(report.databases, 3U);
  std::string bytes = read_all(game_ / "bad");
  ASSERT_GT(bytes.size(), 20 * kSector);
  bytes.replace(10 * kSector, kSector, std::string(kSector, 'x'));
  write_file(game_ / "bad", bytes);
  EXPECT_THAT(problems(), testing::Contains(HasSubstr("bad: SQLite says: ")));
  EXPECT_EQ(read_all(game_ / "bad"), bytes);
  write_file(game_ / "bad", bytes.substr(0, 5 * kSector + 17));
  EXPECT_THAT(problems(), testing::Contains(HasSubstr("bad: SQLite says: ")));
  write_file(game_ / "bad", std::string("SQLite format 3\0", 16));
  EXPECT_THAT(problems(), ElementsAre("bad: SQLite says: file is not a database"));
  write_file(game_ / "bad", "");
  EXPECT_THAT(problems({{"bad", ExamineAs::kSqlite}}), IsEmpty());
  write_file(game_ / "bad", "text");
  EXPECT_THAT(problems(), IsEmpty());
  EXPECT_THAT(problems({{"bad", ExamineAs::kSqlite}}),
              ElementsAre("bad: is no database of SQLite's"));
}

// What a crash left: transactions that stand in the WAL alone, and one that must be rolled back.
TEST_F(ExamineTest, DatabasesAfterACrash) {
  sql("wal.db",
      "PRAGMA journal_mode=WAL; CREATE TABLE t(x); INSERT INTO t VALUES(1);\" "
      "\".shell cp " +
          (game_ / "wal.db").string() + " " + (game_ / "crashed").string() + "\" \".shell cp " +
          (game_ / "wal.db-wal").string() + " " + (game_ / "crashed-wal").string());
  ASSERT_TRUE(fs::exists(game_ / "crashed-wal"));
  sql("j.db",
      "CREATE TABLE t(a UNIQUE); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n "
      "WHERE i<5000) INSERT INTO t SELECT hex(randomblob(20)) FROM n; PRAGMA cache_size=1; "
      "BEGIN; UPDATE t SET a='x'||a;\" \".shell cp " +
          (game_ / "j.db").string() + " " + (game_ / "hot").string() + "\" \".shell cp " +
          (game_ / "j.db-journal").string() + " " + (game_ / "hot-journal").string());
  ASSERT_GT(fs::file_size(game_ / "hot-journal"), kSector);
  std::map<std::string, std::string> before;
  for (const auto& entry : fs::directory_iterator(game_))
    before[entry.path()] = read_all(entry.path());
  EXPECT_THAT(problems(), IsEmpty());
  std::map<std::string, std::string> after;
  for (const auto& entry : fs::directory_iterator(game_))
    after[entry.path()] = read_all(entry.path());
  EXPECT_TRUE(before == after) << "nothing of it is changed";
  // Without its journal it is half of a transaction.
  fs::remove(game_ / "hot-journal");
  EXPECT_THAT(problems(), testing::Contains(HasSubstr("hot: SQLite says: ")));
}

// Interior pages without cells, each leading to the next: SQLite's check would go down as deep.
TEST_F(ExamineTest, ADatabaseThatIsAnAbyss) {
  constexpr size_t kPage = 512;
  constexpr size_t kPages = 200'000;
  sql("abyss", "PRAGMA page_size=512; CREATE TABLE t(x); CREATE TABLE u(x);");
  std::string bytes = read_all(game_ / "abyss");
  ASSERT_EQ(bytes.size(), 3 * kPage);
  bytes.resize(kPages * kPage);
  bytes.replace(28, 4, be32(kPages));
  const std::string leaf = bytes.substr(2 * kPage, kPage);
  for (size_t page = 2; page < kPages; page++)
    bytes.replace((page - 1) * kPage, 12,
                  be8(5) + be16(0) + be16(0) + be16(kPage) + be8(0) + be32(page + 1));
  bytes.replace((kPages - 1) * kPage, kPage, leaf);
  write_file(game_ / "abyss", bytes);
  EXPECT_THAT(problems(), ElementsAre(HasSubstr("abyss: SQLite says: ")));
}

// Pages that lead twice to the next one: 2 to the 30 ways through 30 pages.
TEST_F(ExamineTest, ADatabaseThatGoesInCircles) {
  constexpr size_t kPage = 512;
  constexpr size_t kPages = 30;
  sql("maze", "PRAGMA page_size=512; CREATE TABLE t(x);");
  std::string bytes = read_all(game_ / "maze");
  ASSERT_EQ(bytes.size(), 2 * kPage);
  const std::string leaf = bytes.substr(kPage, kPage);
  bytes.resize(kPages * kPage);
  bytes.replace(28, 4, be32(kPages));
  for (size_t page = 2; page < kPages; page++) {
    const size_t at = (page - 1) * kPage;
    bytes.replace(
        at, 14,
        be8(5) + be16(0) + be16(1) + be16(kPage - 8) + be8(0) + be32(page + 1) + be16(kPage - 8));
    bytes.replace(at + kPage - 8, 5, be32(page + 1) + be8(1));
  }
  bytes.replace((kPages - 1) * kPage, kPage, leaf);
  write_file(game_ / "maze", bytes);
  EXPECT_THAT(problems(), ElementsAre(HasSubstr("maze: a page of it belongs to two places")));
}

TEST_F(ExamineTest, OnlyTheFirstProblemsAreListed) {
  RegionMaker region;
  for (int i = 0; i < 300; i++) region.at(i % 32, i / 32, 1, 1);
  write_file(game_ / "r.0.0.mca", region.bytes());
  const Report report = examine();
  EXPECT_EQ(report.problem_count, 300U);
  EXPECT_EQ(report.problems.size(), 100U);
}

TEST_F(ExamineTest, WhatCanNotBeMade) {
  EXPECT_EQ(examine::examine(game_ / "none", {}).error().code, Code::kNotFound);
  EXPECT_EQ(examine::examine(game_, {.rules = {{"[", ExamineAs::kNbt}}}).error().code,
            Code::kInvalidArgument);
  Progress cancelled;
  cancelled.cancel = true;
  write_file(game_ / "a", "a");
  EXPECT_EQ(examine::examine(game_, {.progress = &cancelled}).error().code, Code::kCancelled);
}

}  // namespace
}  // namespace manman::examine::test
