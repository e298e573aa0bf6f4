#include "live/listed_files.h"

#include "archive/test_support.h"

namespace manman::live::test {
namespace {

using archive::test::code_of;
using archive::test::MemorySink;
using archive::test::message_of;
using archive::test::read_all;
using archive::test::TempDir;
using archive::test::unpack_bytes;
using archive::test::write_file;
namespace fs = std::filesystem;

TEST(FileListTest, ReadsTheLineOfTheGame) {
  const auto list = parse_file_list(
      "Bedrock level/db/000050.ldb:2223, Bedrock level/level.dat:2209, a, b/x:y:0\r\n");
  ASSERT_TRUE(list) << message_of(list);
  EXPECT_EQ(*list, (FileList{{"Bedrock level/db/000050.ldb", 2223},
                             {"Bedrock level/level.dat", 2209},
                             {"a, b/x:y", 0}}));
}

TEST(FileListTest, RefusesWhatIsNoList) {
  for (const std::string line : {"",
                                 "  ",
                                 "a/b",
                                 "a/b:",
                                 "a/b:x",
                                 "a/b:1x",
                                 "a/b:-1",
                                 "a/b:99999999999999999999",
                                 "a/b:9223372036854775808",
                                 "/a/b:1",
                                 "a/../b:1",
                                 "../a:1",
                                 "a/..:1",
                                 "a//b:1",
                                 "a/./b:1",
                                 "level.dat:1",
                                 ":1",
                                 "a/b:1, a/b:1",
                                 "a/b:1, a/b:2",
                                 "a/b:1, ",
                                 "a/b:1,a/c:x"}) {
    EXPECT_EQ(code_of(parse_file_list(line)), Code::kInvalidArgument) << line;
  }
  EXPECT_EQ(code_of(parse_file_list(std::string("a/\0b:1", 6))), Code::kInvalidArgument);
  EXPECT_EQ(code_of(parse_file_list("a/" + std::string(300, 'x') + ":1")), Code::kInvalidArgument);
}

TEST(FileListTest, ALongLineOfNothingTakesNoLongTime) {
  std::string line;
  for (int i = 0; i < 1'000'000; i++) line += "a, ";
  EXPECT_EQ(code_of(parse_file_list(line)), Code::kInvalidArgument);
}

class ListedFilesTest : public testing::Test {
 protected:
  ListedFilesTest() : server_(dir_.make("server")), to_(dir_.make("to")) {
    fs::create_directories(server_ / "worlds/One/db");
    fs::create_directories(server_ / "worlds/Two");
    write_file(server_ / "worlds/One/level.dat", "0123456789 and what is being appended");
    write_file(server_ / "worlds/One/db/000001.ldb", "whole");
    write_file(server_ / "worlds/One/db/000002.log", "not on the list");
    write_file(server_ / "worlds/Two/level.dat", "another world");
    write_file(server_ / "server.properties", "x");
  }
  // Of the pack, and then of what was not met.
  Result<void> take(const std::string& line, archive::FileChoice* next = nullptr) {
    ListedFiles files(TRY(parse_file_list(line)), "worlds", next);
    MemorySink sink;
    TRY(archive::pack(server_, sink, {.files = &files}));
    TRY(unpack_bytes(sink.bytes, to_));
    return files.check_all_met();
  }

  TempDir dir_;
  fs::path server_, to_;
};

TEST_F(ListedFilesTest, TakesOfAWorldWhatIsListedAndAllElse) {
  const auto taken = take("One/level.dat:10, One/db/000001.ldb:5");
  ASSERT_TRUE(taken) << message_of(taken);
  EXPECT_EQ(read_all(to_ / "worlds/One/level.dat"), "0123456789");
  EXPECT_EQ(read_all(to_ / "worlds/One/db/000001.ldb"), "whole");
  EXPECT_FALSE(fs::exists(to_ / "worlds/One/db/000002.log"));
  EXPECT_EQ(read_all(to_ / "worlds/Two/level.dat"), "another world");
  EXPECT_TRUE(fs::exists(to_ / "server.properties"));
}

TEST_F(ListedFilesTest, WhatIsNotThereAsListedIsNamed) {
  const auto shorter = take("One/level.dat:10, One/db/000001.ldb:6");
  EXPECT_EQ(code_of(shorter), Code::kAborted);
  EXPECT_NE(message_of(shorter).find("worlds/One/db/000001.ldb has 5 bytes"), std::string::npos);
  const auto gone = take("One/level.dat:10, One/db/000009.ldb:6");
  EXPECT_EQ(code_of(gone), Code::kAborted);
  EXPECT_NE(message_of(gone).find("worlds/One/db/000009.ldb"), std::string::npos);
}

TEST_F(ListedFilesTest, AnotherChoiceIsAskedForTheRest) {
  struct Rest final : archive::FileChoice {
    std::vector<std::string> asked;
    Result<archive::FileTaking> choose(const archive::FileSeen& file) override {
      asked.push_back(file.path);
      return archive::FileTaking{};
    }
  } rest;
  ASSERT_TRUE(take("One/level.dat:10", &rest));
  EXPECT_EQ(rest.asked, (std::vector<std::string>{"server.properties", "worlds/Two/level.dat"}));
}

}  // namespace
}  // namespace manman::live::test
