#include "archive/write_behind.h"

#include "archive/test_support.h"
#include "archive/warnings.h"

namespace manman::archive::test {
namespace {

constexpr int kThreads = 3;

class WriteBehindTest : public testing::Test {
 protected:
  WriteBehindTest()
      : files_(std::make_unique<WriteBehind>(Metadata(options_, warnings_), kThreads)) {}

  void begin(const std::string& name, uint64_t size, int flags = O_WRONLY, bool sparse = false) {
    UniqueFd fd(::open((dir_.path() / name).c_str(), flags | O_CREAT, 0600));
    ASSERT_TRUE(fd);
    Entry entry{.path = name, .kind = EntryKind::kFile, .size_bytes = size, .mode = 0640};
    entry.mtime_s = 1'000'000'000;
    files_->begin(std::make_unique<FileWriter>(std::move(fd), entry, Xattrs(), sparse, budget_));
  }
  std::string contents(const std::string& name) {
    return read_file(dir_.path() / name).value_or("(missing)");
  }
  bool finished(const std::string& name) {
    struct stat info{};
    EXPECT_EQ(::stat((dir_.path() / name).c_str(), &info), 0);
    return (info.st_mode & 07777) == 0640 && info.st_mtim.tv_sec == 1'000'000'000;
  }

  TempDir dir_;
  const UnpackOptions options_;
  Warnings warnings_;
  Budget budget_{Budget::Limits{}, uint64_t{1} << 30};
  std::unique_ptr<WriteBehind> files_;
};

std::string noise(size_t size, uint32_t seed) {
  std::mt19937 random(seed);
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

ConstBytes bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

TEST_F(WriteBehindTest, FilesOfAllSizesInPiecesOfAllSizesComeOutWhole) {
  std::map<std::string, std::string> expected;
  std::mt19937 random(7);
  for (uint32_t i = 0; i < 400; i++) {
    const std::string name = std::to_string(i);
    // Most are small; some fill several blocks.
    const std::string all = noise(i % 20 == 0 ? random() % 3'000'000 : random() % 5000, i);
    begin(name, all.size());
    for (size_t at = 0; at < all.size();) {
      const size_t count = std::min<size_t>(1 + random() % 700'000, all.size() - at);
      ASSERT_TRUE(files_->write(at, bytes_of(std::string_view(all).substr(at, count))));
      at += count;
    }
    ASSERT_TRUE(files_->end());
    expected[name] = all;
  }
  ASSERT_TRUE(files_->finish());
  for (const auto& [name, all] : expected) {
    EXPECT_TRUE(contents(name) == all) << name;
    EXPECT_TRUE(finished(name)) << name;
  }
}

TEST_F(WriteBehindTest, HolesStayHolesAndTheSizeIsThatOfTheEntry) {
  const uint64_t size = uint64_t{64} << 20;
  begin("sparse", size, O_WRONLY, true);
  const std::string zeros(1 << 20, '\0');
  for (uint64_t at = 0; at < size; at += zeros.size())
    ASSERT_TRUE(files_->write(at, bytes_of(at == size / 2 ? noise(zeros.size(), 1) : zeros)));
  ASSERT_TRUE(files_->end());
  ASSERT_TRUE(files_->finish());
  struct stat info{};
  ASSERT_EQ(::stat((dir_.path() / "sparse").c_str(), &info), 0);
  EXPECT_EQ(static_cast<uint64_t>(info.st_size), size);
  EXPECT_LE(info.st_blocks * 512, 2 << 20);
  std::ifstream file(dir_.path() / "sparse", std::ios::binary);
  std::string middle(zeros.size(), '\0');
  file.seekg(size / 2);
  file.read(middle.data(), static_cast<std::streamsize>(middle.size()));
  EXPECT_TRUE(middle == noise(zeros.size(), 1));
}

TEST_F(WriteBehindTest, AnErrorOfOneFileIsThatOfAllLaterCalls) {
  begin("readable", 10, O_RDONLY);  // so that writing to it fails
  ASSERT_TRUE(files_->write(0, bytes_of("0123456789")));
  ASSERT_TRUE(files_->end());
  const auto outcome = files_->finish();
  ASSERT_FALSE(outcome);
  EXPECT_NE(outcome.error().message.find("write readable"), std::string::npos)
      << outcome.error().message;
  begin("later", 1 << 20);
  EXPECT_FALSE(files_->write(0, bytes_of(noise(1 << 20, 2))));
  EXPECT_FALSE(files_->finish());
}

TEST_F(WriteBehindTest, AnAbandonedFileIsWrittenNoMoreAndTheOthersAreWhole) {
  begin("whole", 3);
  ASSERT_TRUE(files_->write(0, bytes_of("abc")));
  ASSERT_TRUE(files_->end());
  begin("half", 2'000'000);
  ASSERT_TRUE(files_->write(0, bytes_of(noise(1'000'000, 3))));
  const auto file = files_->abandon();
  ASSERT_TRUE(file);
  EXPECT_EQ((*file)->path(), "half");
  EXPECT_FALSE(files_->at_work());
  EXPECT_TRUE(finished("whole"));
  EXPECT_EQ(contents("half").size(), 1'000'000U);
  EXPECT_FALSE(finished("half"));
}

TEST_F(WriteBehindTest, EndsInTheMiddle) {
  begin("half", 50'000'000);
  for (uint64_t at = 0; at < 20'000'000; at += 1'000'000)
    ASSERT_TRUE(files_->write(at, bytes_of(noise(1'000'000, 4))));
  files_.reset();
  EXPECT_FALSE(finished("half"));
}

}  // namespace
}  // namespace manman::archive::test
