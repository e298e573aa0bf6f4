#include "game/runtime/docker/output_log.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <random>
#include <stdexcept>

namespace manman::docker {
namespace {

struct Line {
  std::string time;
  std::string text;
};

// So many milliseconds after noon.
std::string time_at(int64_t ms) {
  const int64_t seconds = ms / 1000;
  char text[64];
  std::snprintf(text, sizeof text, "2026-01-31T%02d:%02d:%02d.%03d000000Z",
                static_cast<int>(12 + seconds / 3600), static_cast<int>(seconds / 60 % 60),
                static_cast<int>(seconds % 60), static_cast<int>(ms % 1000));
  return text;
}

class OutputLogTest : public testing::Test {
 protected:
  OutputLogTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "manman-out-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp " + pattern);
    files_.dir = pattern;
  }
  ~OutputLogTest() override { std::filesystem::remove_all(files_.dir); }

  // As an old engine gives them: it leaves out all that are of before the moment.
  std::vector<Line> since(const std::string& moment) const {
    constexpr int64_t kNoon = 1769860800;
    if (moment.empty()) return lines_;
    const int64_t ms = (std::stoll(moment) - kNoon) * 1000 +
                       std::stoll(moment.substr(moment.find('.') + 1)) / 1'000'000;
    std::vector<Line> given;
    std::ranges::copy_if(lines_, std::back_inserter(given),
                         [&](const Line& line) { return ms < 0 || line.time >= time_at(ms); });
    return given;
  }
  // One reading that gives up after some lines, as a process does that is killed.
  void read(size_t at_most = 1'000'000) {
    auto log = OutputLog::open(files_);
    ASSERT_TRUE(log) << log.error().message;
    ASSERT_TRUE(log->begin());
    const auto moment = log->since();
    ASSERT_TRUE(moment) << moment.error().message;
    for (const Line& line : since(*moment)) {
      if (at_most-- == 0) return;
      ASSERT_TRUE(log->add({line.time, line.text}));
    }
  }
  std::string output() const { return read_file(files_.output()).value(); }
  std::string wanted() const {
    std::string text;
    for (const Line& line : lines_) text += line.text;
    return text;
  }

  SessionDir files_;
  std::vector<Line> lines_;
};

TEST_F(OutputLogTest, EachByteOnceWhereverItIsCutOff) {
  std::mt19937 random(11);
  int64_t now = 0;
  for (int i = 0; i < 600; i++) {
    // Some at the same moment, some after the clock was set back.
    now = std::max<int64_t>(
        0, now + static_cast<int64_t>(random() % 4) * 1000 - (i % 97 == 0 ? 50'000 : 0));
    lines_.push_back({time_at(now), std::to_string(i) + std::string(random() % 20000, 'x') + "\n"});
  }
  for (const size_t lines : {1, 0, 100, 7, 300, 301}) read(lines);
  // A kill in the middle of a write, and one before the file was there at all.
  std::filesystem::resize_file(files_.output(), std::filesystem::file_size(files_.output()) - 5);
  read();
  EXPECT_TRUE(output() == wanted());
  read();
  EXPECT_TRUE(output() == wanted()) << "read once more";
  EXPECT_TRUE(std::filesystem::exists(files_.cursor()));
}

TEST_F(OutputLogTest, SaysWhatTheEngineKeptNoLonger) {
  lines_ = {{time_at(1), "one\n"}, {time_at(2), "two\n"}, {time_at(3), "three\n"}};
  read(2);
  lines_.erase(lines_.begin(), lines_.begin() + 2);
  lines_.push_back({time_at(4), "four\n"});
  for (int i = 0; i < 2; i++) {
    read();
    EXPECT_TRUE(output().starts_with("one\ntwo\n\n[manman] some output")) << output();
    EXPECT_TRUE(output().ends_with("missing: Docker kept it no longer\nthree\nfour\n"));
  }
}

TEST_F(OutputLogTest, GoesOnInAFileThatWasTruncated) {
  lines_ = {{time_at(1), std::string(2 << 20, 'x') + "\n"}, {time_at(2), "two\n"}};
  read();
  std::filesystem::resize_file(files_.output(), 0);
  lines_.push_back({time_at(3), "three\n"});
  read();
  EXPECT_TRUE(output().ends_with("two\nthree\n"));
}

TEST_F(OutputLogTest, DamagedCursorIsNamed) {
  for (const std::string text : {"", "{}", "[1]", R"({"timestamp":7,"offset":0})"}) {
    ASSERT_TRUE(write_file_durably(files_.cursor(), text));
    const auto log = OutputLog::open(files_);
    ASSERT_FALSE(log) << text;
    EXPECT_EQ(log.error().code, Code::kDataLoss);
    EXPECT_NE(log.error().message.find("cursor.json"), std::string::npos);
  }
  ASSERT_TRUE(write_file_durably(files_.cursor(), R"({"timestamp":"yesterday","offset":0})"));
  const auto log = OutputLog::open(files_);
  ASSERT_TRUE(log);
  EXPECT_FALSE(log->since());
}

}  // namespace
}  // namespace manman::docker
