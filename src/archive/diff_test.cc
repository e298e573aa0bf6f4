#include "archive/diff.h"

#include "archive/test_support.h"

namespace manman::archive::test {
namespace {

constexpr int64_t kThen = 1'700'000'000;

class DiffTest : public testing::Test {
 protected:
  void put(const std::string& path, std::string_view contents, int64_t mtime_s = kThen) {
    fs::create_directories((dir_.path() / path).parent_path());
    write_file(dir_.path() / path, contents);
    set_mtime(dir_.path() / path, mtime_s, 0);
  }
  void pack_before(const Compression& compression = {}) {
    before_ = pack_bytes(dir_.path(), compression);
  }
  // "modified game/a", … from what was packed before to what stands there now.
  std::vector<std::string> changes(const Compression& compression = {}) {
    const std::string after = pack_bytes(dir_.path(), compression);
    MemorySource a(before_);
    MemorySource b(after);
    std::vector<std::string> found;
    const auto done = diff(a, b, [&](const Difference& difference) {
      const Entry& entry = difference.after != nullptr ? *difference.after : *difference.before;
      if (entry.kind != EntryKind::kFolder || difference.change != Change::kMetadata)
        found.push_back(std::string(to_text(difference.change)) + " " + entry.path);
      return true;
    });
    EXPECT_TRUE(done) << done.error().text();
    return found;
  }
  using Lines = std::vector<std::string>;

  TempDir dir_;
  std::string before_;
};

TEST_F(DiffTest, NothingChanged) {
  put("a", "1");
  put("b/c", "2");
  pack_before();
  EXPECT_EQ(changes(), Lines{});
}

TEST_F(DiffTest, EachKindOfChangeInTheOrderOfThePaths) {
  put("a/gone", "x");
  put("a-b", "x");  // '-' stands before '/'
  put("a/stays", "x");
  put("grows", "x");
  put("mode", "x");
  put("turns", "x");
  fs::create_symlink("here", dir_.path() / "link");
  pack_before();
  fs::remove(dir_.path() / "a/gone");
  put("a/new", "x");
  put("grows", "xx");
  fs::permissions(dir_.path() / "mode", fs::perms::owner_all);
  fs::remove(dir_.path() / "turns");
  fs::create_directory(dir_.path() / "turns");
  fs::remove(dir_.path() / "link");
  fs::create_symlink("there", dir_.path() / "link");
  EXPECT_EQ(changes(), (Lines{"removed game/a/gone", "added game/a/new", "modified game/grows",
                              "modified game/link", "metadata game/mode", "type game/turns"}));
}

TEST_F(DiffTest, FileOfTheSameSizeIsModifiedWhenItsTimeIsAnother) {
  put("a", "one");
  pack_before();
  put("a", "two", kThen + 1);
  EXPECT_EQ(changes(), (Lines{"modified game/a"}));
}

// As a game does that maps its file into memory, or a griefer who sets the time back.
TEST_F(DiffTest, FramesTellWhatSizeAndTimeDoNot) {
  std::mt19937_64 random(7);
  std::string contents = noise(random, 5 << 20);
  put("a", contents);
  pack_before();
  contents[contents.size() / 2] ^= 1;
  put("a", contents);
  EXPECT_EQ(changes(), (Lines{"modified game/a"}));
  EXPECT_EQ(changes({ArchiveFormat::kZstd, 1}), (Lines{"modified game/a"}));
}

TEST_F(DiffTest, AnotherFormatIsNoDifference) {
  std::mt19937_64 random(7);
  put("a", noise(random, 3 << 20));
  pack_before();
  EXPECT_EQ(changes({ArchiveFormat::kZstd, 1}), Lines{});
}

// More names than are sorted at a time; of three files, since names are made fast.
TEST_F(DiffTest, FolderOfVeryManyNames) {
  constexpr int kNames = 100'500;
  fs::create_directory(dir_.path() / "many");
  for (int i = 0; i < kNames; i++) {
    const std::string original = "original-" + std::to_string(i / 50'000);
    if (i % 50'000 == 0) put(original, "x");
    fs::create_hard_link(dir_.path() / original, dir_.path() / "many" / std::to_string(i));
  }
  pack_before();
  fs::remove(dir_.path() / "many/99999");  // the last one
  put("many/777777", "x");
  EXPECT_EQ(changes(), (Lines{"added game/many/777777", "removed game/many/99999"}));
}

TEST_F(DiffTest, ArchiveWithoutAnIndexIsRefused) {
  put("a", "1");
  pack_before();
  MemorySource whole(before_);
  const std::string foreign = "no archive of ours";
  MemorySource other(foreign);
  const auto done = diff(whole, other, [](const Difference&) { return true; });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::kFailedPrecondition);
}

}  // namespace
}  // namespace manman::archive::test
