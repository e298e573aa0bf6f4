#include "game/quiesce/line_reader.h"

#include <gtest/gtest.h>

#include <vector>

namespace manman {
namespace {

class LineReaderTest : public testing::Test {
 protected:
  void feed(std::string_view bytes) {
    EXPECT_FALSE(reader_.feed(bytes, [&](std::string_view line) {
      lines_.emplace_back(line);
      return false;
    }));
  }
  LineReader reader_;
  std::vector<std::string> lines_;
};
using Lines = std::vector<std::string>;

TEST_F(LineReaderTest, AssemblesLinesAcrossReads) {
  feed("one\ntw");
  EXPECT_EQ(lines_, Lines{"one"});
  feed("o\r");
  feed("\n\nthr");
  EXPECT_EQ(lines_, (Lines{"one", "two", ""}));
  feed("ee\n");
  EXPECT_EQ(lines_, (Lines{"one", "two", "", "three"}));
}

TEST_F(LineReaderTest, EveryByteByItself) {
  for (const char c : std::string("a\r\nb\nc\n")) feed({&c, 1});
  EXPECT_EQ(lines_, (Lines{"a", "b", "c"}));
}

TEST_F(LineReaderTest, ALongLineIsCutAndTheNextOneWhole) {
  const size_t most = LineReader::kMaxLineBytes;
  feed(std::string(most - 1, 'x'));
  EXPECT_TRUE(lines_.empty());
  feed("yz");
  ASSERT_EQ(lines_.size(), 1U);
  EXPECT_EQ(lines_[0], std::string(most - 1, 'x') + "y");
  feed(std::string(10 * most, 'w'));
  EXPECT_EQ(lines_.size(), 1U);
  feed("rest\nnext\n");
  ASSERT_EQ(lines_.size(), 2U);
  EXPECT_EQ(lines_[1], "next");
}

TEST_F(LineReaderTest, ALongLineInOnePiece) {
  const size_t most = LineReader::kMaxLineBytes;
  feed(std::string(3 * most, 'x') + "\nnext\n");
  ASSERT_EQ(lines_.size(), 2U);
  EXPECT_EQ(lines_[0].size(), most);
  EXPECT_EQ(lines_[1], "next");
  lines_.clear();
  feed(std::string(most, 'x') + "\nnext\n");
  EXPECT_EQ(lines_.size(), 2U);
}

TEST_F(LineReaderTest, StopsAtTheLineThatWasWanted) {
  EXPECT_TRUE(reader_.feed("a\nb\nc\n", [&](std::string_view line) {
    lines_.emplace_back(line);
    return line == "b";
  }));
  EXPECT_EQ(lines_, (Lines{"a", "b"}));
}

}  // namespace
}  // namespace manman
