#include "game/runtime/output_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "base/file.h"

namespace manman {
namespace {

constexpr uint64_t kLimit = 256 << 10;

class OutputFileTest : public testing::Test {
 protected:
  OutputFileTest() {
    std::string name = "/tmp/manman-output-XXXXXX";
    game_ = UniqueFd(::mkstemp(name.data()));
    path_ = name;
    ::fcntl(game_.get(), F_SETFL, O_APPEND);
  }
  ~OutputFileTest() override { ::unlink(path_.c_str()); }

  void put_out(const std::string& text) {
    ASSERT_EQ(::write(game_.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  uint64_t bytes_on_disk() const {
    struct stat info{};
    EXPECT_EQ(::stat(path_.c_str(), &info), 0);
    return static_cast<uint64_t>(info.st_blocks) * 512;
  }
  std::string read(uint64_t offset, size_t size) const {
    std::string text(size, '?');
    const auto count = read_from_output(path_, offset, std::as_writable_bytes(std::span(text)));
    EXPECT_TRUE(count);
    text.resize(count.value_or(0));
    return text;
  }

  UniqueFd game_;
  std::filesystem::path path_;
};

TEST_F(OutputFileTest, LimitedOutputKeepsItsLatestPartAndItsOffsets) {
  std::string all;
  for (int line = 0; all.size() < 5 * kLimit; line++) all += "line " + std::to_string(line) + "\n";
  put_out(all);
  ASSERT_TRUE(limit_output(path_, kLimit));
  EXPECT_LE(bytes_on_disk(), kLimit);
  EXPECT_EQ(size_of_output(path_).value(), all.size());
  const size_t kept = kLimit / 2;
  EXPECT_EQ(read(all.size() - kept, kept), all.substr(all.size() - kept));
  EXPECT_EQ(read(0, 5), std::string(5, '\0'));
  put_out("and on\n");  // the game, by the descriptor that it has
  EXPECT_EQ(read(all.size(), 100), "and on\n");
}

TEST_F(OutputFileTest, SmallOutputIsLeftAlone) {
  put_out(std::string(kLimit / 2, 'x'));
  ASSERT_TRUE(limit_output(path_, kLimit));
  EXPECT_EQ(read(0, 3), "xxx");
  EXPECT_EQ(limit_output("/tmp/manman-no-such-file", kLimit).error().code, Code::kNotFound);
}

}  // namespace
}  // namespace manman
