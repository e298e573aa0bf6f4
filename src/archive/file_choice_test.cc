#include "archive/file_choice.h"

#include <sys/xattr.h>

#include <map>

#include "archive/test_support.h"

namespace manman::archive::test {
namespace {

// Answers by the path; unknown files are taken as they are.
class Answers final : public FileChoice {
 public:
  std::map<std::string, std::function<Result<FileTaking>(const FileSeen&)>> by_path;
  std::vector<std::string> asked;
  Result<FileTaking> choose(const FileSeen& file) override {
    asked.push_back(file.path + (file.is_known ? " again" : ""));
    const auto answer = by_path.find(file.path);
    return answer == by_path.end() ? Result<FileTaking>(FileTaking{}) : answer->second(file);
  }
};

class FileChoiceTest : public testing::Test {
 protected:
  FileChoiceTest() : from_(dir_.make("from")), to_(dir_.make("to")) {}
  Result<PackResult> pack_and_unpack(std::vector<std::string> leave_out = {}) {
    MemorySink sink;
    const auto packed =
        pack(from_, sink, {.threads = 2, .leave_out = std::move(leave_out), .files = &answers_});
    if (packed) {
      EXPECT_TRUE(verify_bytes(sink.bytes));
      const auto unpacked = unpack_bytes(sink.bytes, to_);
      EXPECT_TRUE(unpacked) << message_of(unpacked);
    }
    return packed;
  }
  UniqueFd open(const fs::path& path) {
    return UniqueFd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  }

  TempDir dir_;
  fs::path from_, to_;
  Answers answers_;
};

TEST_F(FileChoiceTest, LeavesOutCutsAndReadsInstead) {
  std::mt19937_64 random(5);
  const std::string large = noise(random, 5'000'001);
  for (const char* name : {"a", "cut", "gone", "other", "z"}) write_file(from_ / name, large);
  write_file(dir_.path() / "copy", "small and other");
  set_mtime(from_ / "other", 1'600'000'000, 7);
  fs::permissions(from_ / "other", fs::perms(0640));
  answers_.by_path["cut"] = [](const FileSeen&) { return FileTaking{.first_bytes = 3'000'000}; };
  answers_.by_path["gone"] = [](const FileSeen&) { return FileTaking{.leave_out = true}; };
  answers_.by_path["other"] = [&](const FileSeen&) {
    return FileTaking{.instead = open(dir_.path() / "copy")};
  };
  const auto packed = pack_and_unpack();
  ASSERT_TRUE(packed) << message_of(packed);
  EXPECT_EQ(packed->left_out, 1U);
  EXPECT_EQ(packed->changed_count, 0U);
  EXPECT_EQ(read_all(to_ / "a"), large);
  EXPECT_EQ(read_all(to_ / "z"), large);
  EXPECT_EQ(read_all(to_ / "cut"), large.substr(0, 3'000'000));
  EXPECT_FALSE(fs::exists(to_ / "gone"));
  EXPECT_EQ(read_all(to_ / "other"), "small and other");
  struct stat info{};
  ASSERT_EQ(::stat((to_ / "other").c_str(), &info), 0);
  EXPECT_EQ(info.st_mtim.tv_sec, 1'600'000'000);
  EXPECT_EQ(info.st_mtim.tv_nsec, 7);
  EXPECT_EQ(info.st_mode & 07777, 0640U);
}

// Whether a descriptor is open in this process for the file.
bool is_open(const fs::path& file) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator("/proc/self/fd"))
    if (fs::read_symlink(entry.path(), error).string().starts_with(file.string())) return true;
  return false;
}

TEST_F(FileChoiceTest, WhatIsReadAtOnceIsClosedBeforeTheNextFile) {
  std::mt19937_64 random(6);
  std::map<std::string, std::string> copies;
  fs::path last;
  for (int i = 0; i < 12; i++) {
    const std::string name = "file" + std::to_string(10 + i);
    write_file(from_ / name, "the original");
    copies[name] = noise(random, 1 + random() % 3'000'000);
    write_file(dir_.path() / name, copies[name]);
    answers_.by_path[name] = [this, &last](const FileSeen& file) {
      EXPECT_TRUE(last.empty() || !is_open(last)) << last;
      last = dir_.path() / file.path;
      return FileTaking{.instead = open(last), .at_once = true};
    };
  }
  const auto packed = pack_and_unpack();
  ASSERT_TRUE(packed) << message_of(packed);
  for (const auto& [name, contents] : copies) EXPECT_EQ(read_all(to_ / name), contents) << name;
}

TEST_F(FileChoiceTest, HardLinksGoWithTheFirstNameThatIsTaken) {
  write_file(from_ / "a", "contents");
  fs::create_hard_link(from_ / "a", from_ / "b");
  fs::create_hard_link(from_ / "a", from_ / "c");
  answers_.by_path["a"] = [](const FileSeen&) { return FileTaking{.leave_out = true}; };
  const auto packed = pack_and_unpack();
  ASSERT_TRUE(packed) << message_of(packed);
  EXPECT_EQ(answers_.asked, (std::vector<std::string>{"a", "b", "c again"}));
  EXPECT_FALSE(fs::exists(to_ / "a"));
  EXPECT_EQ(read_all(to_ / "b"), "contents");
  EXPECT_EQ(fs::hard_link_count(to_ / "c"), 2U);
}

TEST_F(FileChoiceTest, AnErrorFailsThePack) {
  write_file(from_ / "a", "x");
  answers_.by_path["a"] = [](const FileSeen&) { return fail(Code::kAborted, "a is not well"); };
  EXPECT_NE(message_of(pack_and_unpack()).find("a is not well"), std::string::npos);
}

TEST_F(FileChoiceTest, WhatChangesIsNamedButNotWhatGrowsBehindItsFirstBytes) {
  write_file(from_ / "grows", std::string(1000, 'x'));
  write_file(from_ / "log", std::string(1000, 'y'));
  const auto append = [&](const FileSeen& file) {
    std::ofstream(from_ / file.path, std::ios::app) << "more";
    return FileTaking{};
  };
  answers_.by_path["grows"] = append;
  answers_.by_path["log"] = [&](const FileSeen& file) {
    append(file);
    return FileTaking{.first_bytes = 1000};
  };
  const auto packed = pack_and_unpack();
  ASSERT_TRUE(packed) << message_of(packed);
  EXPECT_EQ(packed->changed, std::vector<std::string>{"game/grows"});
  EXPECT_EQ(packed->changed_count, 1U);
  EXPECT_EQ(packed->warning_count, 1U);
  EXPECT_EQ(fs::file_size(to_ / "grows"), 1000U);
}

TEST_F(FileChoiceTest, PatternsLeaveOutFilesAndFolders) {
  fs::create_directories(from_ / "logs/old");
  write_file(from_ / "logs/old/a.log", "x");
  write_file(from_ / "a.log", "x");
  write_file(from_ / "keep.log", "x");
  const auto packed = pack_and_unpack({"*.log", "logs/", "!keep.log"});
  ASSERT_TRUE(packed) << message_of(packed);
  EXPECT_EQ(packed->left_out, 2U);
  EXPECT_EQ(packed->warning_count, 0U);
  EXPECT_FALSE(fs::exists(to_ / "logs"));
  EXPECT_FALSE(fs::exists(to_ / "a.log"));
  EXPECT_TRUE(fs::exists(to_ / "keep.log"));
  EXPECT_EQ(code_of(pack_and_unpack({"a[b"})), Code::kInvalidArgument);
}

// Without anybody to ask about them, small files are read ahead by several threads, in batches.
TEST_F(FileChoiceTest, WhoIsNotAskedGetsTheSameArchiveReadAhead) {
  std::mt19937_64 random(9);
  std::vector<fs::path> folders{from_};
  for (int i = 0; i < 40; i++) {
    folders.push_back(folders[random() % folders.size()] / ("folder-" + std::to_string(i)));
    fs::create_directory(folders.back());
  }
  // Below, at and above the size that is small, and more than a batch holds.
  const std::string large = noise(random, 70'000);
  const std::vector<size_t> sizes{0, 1, 511, 512, 700, 65'535, 65'536, 65'537, 70'000};
  fs::path last;
  for (int i = 0; i < 1500; i++) {
    const fs::path path = folders[random() % folders.size()] / std::to_string(i);
    if (i % 97 == 1)
      fs::create_hard_link(last, path);
    else if (i % 53 == 1)
      fs::create_symlink("somewhere", path);
    else
      write_file(path, large.substr(0, sizes[random() % sizes.size()]));
    if (i % 61 == 2) (void)::setxattr(path.c_str(), "user.mark", "12", 2, 0);
    last = path;
  }
  fs::create_directory(from_ / "full");
  for (int i = 0; i < 200; i++) write_file(from_ / "full" / std::to_string(i), large.substr(i));
  for (const bool leaves_out : {false, true}) {
    PackOptions options{.threads = 2};
    if (leaves_out) options.leave_out = {"folder-1*/", "*7"};
    MemorySink ahead;
    const auto packed_ahead = pack(from_, ahead, options);
    ASSERT_TRUE(packed_ahead) << message_of(packed_ahead);
    options.files = &answers_;
    MemorySink asking;
    const auto packed = pack(from_, asking, options);
    ASSERT_TRUE(packed) << message_of(packed);
    EXPECT_TRUE(ahead.bytes == asking.bytes);
    EXPECT_EQ(packed_ahead->entries, packed->entries);
    EXPECT_EQ(packed_ahead->left_out, packed->left_out);
    EXPECT_EQ(packed->left_out > 0, leaves_out);
    EXPECT_EQ(packed_ahead->warning_count, 0U);
  }
}

}  // namespace
}  // namespace manman::archive::test
