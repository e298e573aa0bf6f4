#include "archive/write_behind.h"

#include <sys/resource.h>

#include <thread>

#include "archive/test_support.h"
#include "archive/warnings.h"
#include "base/sync.h"

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
  ASSERT_TRUE(files_->settle());
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
  ASSERT_TRUE(files_->settle());
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
  const auto outcome = files_->settle();
  ASSERT_FALSE(outcome);
  EXPECT_NE(outcome.error().message.find("write readable"), std::string::npos)
      << outcome.error().message;
  begin("later", 1 << 20);
  EXPECT_FALSE(files_->write(0, bytes_of(noise(1 << 20, 2))));
  EXPECT_FALSE(files_->settle());
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

// More threads than cores can be given, and files that are small: what waits is bounded in files.
TEST_F(WriteBehindTest, FewFilesAreOpenAtATime) {
  files_ = std::make_unique<WriteBehind>(Metadata(options_, warnings_), 16);
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  const rlimit low{200, limit.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
  for (int i = 0; i < 600; i++) {
    begin(std::to_string(i), 3, O_WRONLY | O_SYNC);  // so that writing is slower than the owner
    if (HasFatalFailure()) break;
    EXPECT_TRUE(files_->write(0, bytes_of("abc")));
    EXPECT_TRUE(files_->end());
  }
  EXPECT_TRUE(files_->settle());
  EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
}

// Of many folders and in none of the orders that they come in; some stand there already.
TEST_F(WriteBehindTest, FilesThatAreNotMadeYetAreMadeByTheThreadsThatWriteThem) {
  std::mt19937 random(8);
  std::map<std::string, std::string> expected;
  std::vector<std::shared_ptr<const UniqueFd>> folders;
  for (int i = 0; i < 5; i++) {
    const fs::path folder = dir_.path() / std::to_string(i);
    fs::create_directory(folder);
    folders.push_back(std::make_shared<UniqueFd>(::open(folder.c_str(), O_RDONLY | O_DIRECTORY)));
  }
  for (uint32_t i = 0; i < 3000; i++) {
    const size_t folder = i < 1000 ? i / 200 : random() % folders.size();
    const std::string name = std::to_string(i);
    const std::string path = std::to_string(folder) + "/" + name;
    const std::string all = noise(random() % (i % 50 == 0 ? WriteBehind::kMaxUnmade : 3000), i);
    if (i % 100 == 3) fs::create_symlink("/nowhere", dir_.path() / path);
    if (i % 100 == 4) std::ofstream(dir_.path() / path) << std::string(100'000, 'x');
    Entry entry{.path = path, .kind = EntryKind::kFile, .size_bytes = all.size(), .mode = 0640};
    entry.uid = ::geteuid();
    entry.gid = ::getegid();
    entry.mtime_s = 1'000'000'000;
    files_->begin(std::make_unique<FileWriter>(
        TargetTree::Place{.open = folders[folder], .name = name}, entry, Xattrs(), false, budget_));
    for (size_t at = 0; at < all.size();) {
      const size_t count = std::min<size_t>(1 + random() % 40'000, all.size() - at);
      ASSERT_TRUE(files_->write(at, bytes_of(std::string_view(all).substr(at, count))));
      at += count;
    }
    ASSERT_TRUE(files_->end());
    expected[path] = all;
  }
  ASSERT_TRUE(files_->settle());
  for (const auto& [path, all] : expected) {
    EXPECT_TRUE(contents(path) == all) << path;
    EXPECT_TRUE(finished(path)) << path;
    EXPECT_FALSE(fs::is_symlink(dir_.path() / path)) << path;
  }
}

TEST_F(WriteBehindTest, FewFilesAreOpenAtATimeWhereTheyAreMadeLater) {
  const auto folder =
      std::make_shared<UniqueFd>(::open(dir_.path().c_str(), O_RDONLY | O_DIRECTORY));
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  const rlimit low{100, limit.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
  for (int i = 0; i < 5000; i++) {
    const Entry entry{.path = std::to_string(i), .kind = EntryKind::kFile, .size_bytes = 0};
    files_->begin(std::make_unique<FileWriter>(
        TargetTree::Place{.open = folder, .name = entry.path}, entry, Xattrs(), false, budget_));
    EXPECT_TRUE(files_->end());
  }
  EXPECT_TRUE(files_->settle());
  EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
}

TEST_F(WriteBehindTest, AFileThatCantBeMadeIsAnErrorThatNamesIt) {
  fs::create_directories(dir_.path() / "taken");
  const auto folder =
      std::make_shared<UniqueFd>(::open(dir_.path().c_str(), O_RDONLY | O_DIRECTORY));
  const Entry entry{.path = "world/taken", .kind = EntryKind::kFile, .size_bytes = 3};
  files_->begin(std::make_unique<FileWriter>(TargetTree::Place{.open = folder, .name = "taken"},
                                             entry, Xattrs(), false, budget_));
  ASSERT_TRUE(files_->write(0, bytes_of("abc")));
  ASSERT_TRUE(files_->end());
  const auto outcome = files_->settle();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().message, "refused world/taken: a folder stands at its path");
}

TEST_F(WriteBehindTest, EndsInTheMiddle) {
  begin("half", 50'000'000);
  for (uint64_t at = 0; at < 20'000'000; at += 1'000'000)
    ASSERT_TRUE(files_->write(at, bytes_of(noise(1'000'000, 4))));
  files_.reset();
  EXPECT_FALSE(finished("half"));
}

class FileWriterTest : public testing::Test {
 protected:
  // Writes the contents in pieces from several threads at once, and what then stands in the file.
  std::string written(const std::string& all, size_t piece, size_t first, size_t shift) {
    const fs::path path = dir_.path() / "file";
    fs::remove(path);
    const Entry entry{.path = "file", .size_bytes = all.size(), .mode = 0600};
    FileWriter writer(UniqueFd(::open(path.c_str(), O_WRONLY | O_CREAT, 0600)), entry, Xattrs(),
                      false, budget_);
    std::vector<std::byte> memory(all.size() + 2 * FileWriter::kAlignment);
    const size_t start = FileWriter::kAlignment -
                         reinterpret_cast<uintptr_t>(memory.data()) % FileWriter::kAlignment +
                         shift;
    std::memcpy(memory.data() + start, all.data(), all.size());
    std::vector<std::pair<size_t, size_t>> pieces;
    for (size_t at = 0; at < all.size();) {
      const size_t size = std::min(at == 0 ? first : piece, all.size() - at);
      pieces.emplace_back(at, size);
      at += size;
    }
    std::atomic<size_t> next = 0;
    std::atomic<bool> go = false;
    Sync<std::string> trouble;
    const auto work = [&] {
      go.wait(false);
      for (size_t i = next++; i < pieces.size(); i = next++) {
        const auto [at, size] = pieces[i];
        const auto outcome = writer.write(at, ConstBytes(memory).subspan(start + at, size));
        if (!outcome) *trouble.lock() = outcome.error().message;
      }
    };
    {
      std::vector<std::jthread> threads;
      for (int i = 0; i < 4; i++) threads.emplace_back(work);
      go = true;
      go.notify_all();
    }
    EXPECT_EQ(*trouble.lock(), "");
    const UnpackOptions options;
    Warnings warnings;
    EXPECT_TRUE(writer.finish(Metadata(options, warnings)));
    return read_file(path).value_or("(missing)");
  }

  TempDir dir_;
  Budget budget_{Budget::Limits{}, uint64_t{1} << 40};
};

// From memory that no file system takes past the page cache: threads that learn of it at the same
// time all go on through it.
TEST_F(FileWriterTest, WhatCantGoPastThePageCacheGoesThroughIt) {
  const std::string all = noise(300'000, 5);
  for (int i = 0; i < 200; i++) ASSERT_TRUE(written(all, 16'384, 16'384, 1) == all) << i;
}

TEST_F(FileWriterTest, PiecesThatBeginOrEndAnywhere) {
  const std::string all = noise(700'001, 6);
  for (const size_t first : {1UL, 511UL, 512UL, 4095UL, 4096UL, 65'537UL})
    for (const size_t piece : {512UL, 4096UL, 7000UL, 65'536UL})
      EXPECT_TRUE(written(all, piece, first, 0) == all) << first << " " << piece;
}

}  // namespace
}  // namespace manman::archive::test
