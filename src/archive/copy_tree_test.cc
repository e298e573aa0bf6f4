#include "archive/copy_tree.h"

#include <sys/stat.h>
#include <sys/xattr.h>

#include "archive/test_support.h"

namespace manman::archive::test {
namespace {

class CopyTreeTest : public testing::Test {
 protected:
  fs::path from() const { return dir_.path() / "from"; }
  fs::path to() const { return dir_.path() / "to"; }
  CopyTreeTest() {
    fs::create_directory(from());
    fs::create_directory(to());
  }
  Result<CopyResult> copy(const std::vector<std::string>& except = {}) {
    return copy_tree(from(), to(), {.leave_out = [&](const std::string& path, const struct stat&) {
                       return std::ranges::find(except, path) != except.end();
                     }});
  }
  TempDir dir_;
};

TEST_F(CopyTreeTest, IsTheSameAndStandsAlone) {
  fs::create_directories(from() / "a/b");
  write_file(from() / "a/b/file", "contents");
  fs::create_hard_link(from() / "a/b/file", from() / "again");
  fs::create_symlink("a/b/file", from() / "link");
  fs::create_symlink("nowhere", from() / "a/dangling");
  ASSERT_EQ(::mkfifo((from() / "pipe").c_str(), 0640), 0);
  fs::permissions(from() / "a", fs::perms(0500));
  set_mtime(from() / "a/b/file", 1'600'000'000, 123'456'789);
  set_mtime(from() / "a/b", 1'500'000'000, 5);
  const auto before = describe(from());
  const auto copied = copy();
  ASSERT_TRUE(copied) << copied.error().text();
  EXPECT_EQ(describe(to()), before);
  struct stat info{};
  ASSERT_EQ(::stat((to() / "again").c_str(), &info), 0);
  EXPECT_EQ(info.st_nlink, 2U);
  write_file(to() / "a/b/file", "written in place");
  EXPECT_EQ(read_all(from() / "a/b/file"), "contents");
  fs::permissions(from() / "a", fs::perms(0700));
  fs::permissions(to() / "a", fs::perms(0700));
}

TEST_F(CopyTreeTest, HolesStayHoles) {
  write_file(from() / "map", "");
  fs::resize_file(from() / "map", uint64_t{1} << 30);
  {
    std::fstream file(from() / "map", std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(512 << 20);
    file << "an island";
  }
  const auto copied = copy();
  ASSERT_TRUE(copied) << copied.error().text();
  struct stat info{};
  ASSERT_EQ(::stat((to() / "map").c_str(), &info), 0);
  EXPECT_EQ(info.st_size, int64_t{1} << 30);
  EXPECT_LT(info.st_blocks * 512, 1 << 20);
  std::ifstream file(to() / "map", std::ios::binary);
  file.seekg(512 << 20);
  std::string island(9, ' ');
  file.read(island.data(), 9);
  EXPECT_EQ(island, "an island");
}

TEST_F(CopyTreeTest, KeepsAttributes) {
  write_file(from() / "file", "x");
  if (::setxattr((from() / "file").c_str(), "user.mark", "12", 2, 0) != 0)
    GTEST_SKIP() << "this file system has no attributes";
  ASSERT_TRUE(copy());
  std::array<char, 8> value{};
  EXPECT_EQ(::getxattr((to() / "file").c_str(), "user.mark", value.data(), value.size()), 2);
  EXPECT_EQ(std::string(value.data()), "12");
}

// Also those that archives don't carry, and bits that an unpacking drops.
TEST_F(CopyTreeTest, KeepsWhatOnlyRootMaySet) {
  write_file(from() / "file", "x");
  if (::setxattr((from() / "file").c_str(), "trusted.mark", "12", 2, 0) != 0)
    GTEST_SKIP() << "not root, or a file system without attributes";
  ASSERT_EQ(::chmod((from() / "file").c_str(), 04755), 0);
  ASSERT_EQ(::chown((from() / "file").c_str(), 0, 4321), 0);  // takes the bit
  ASSERT_EQ(::chmod((from() / "file").c_str(), 04755), 0);
  ASSERT_EQ(::mkfifo((from() / "pipe").c_str(), 0600), 0);
  ASSERT_EQ(::chown((from() / "pipe").c_str(), 1234, 4321), 0);
  const auto copied = copy();
  ASSERT_TRUE(copied) << copied.error().text();
  EXPECT_EQ(copied->warning_count, 0U);
  std::array<char, 8> value{};
  EXPECT_EQ(::getxattr((to() / "file").c_str(), "trusted.mark", value.data(), value.size()), 2);
  struct stat info{};
  ASSERT_EQ(::stat((to() / "file").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 04755U);
  EXPECT_EQ(info.st_gid, 4321U);
  ASSERT_EQ(::stat((to() / "pipe").c_str(), &info), 0);
  EXPECT_EQ(info.st_uid, 1234U);
}

TEST_F(CopyTreeTest, LeavesOutAndMerges) {
  fs::create_directories(from() / "world/region");
  write_file(from() / "world/region/r", "old");
  write_file(from() / "world/level", "kept");
  write_file(from() / "world/region.txt", "kept");
  fs::permissions(from() / "world", fs::perms(0750));
  set_mtime(from() / "world", 1'500'000'000, 5);
  fs::create_directories(to() / "world/region");
  write_file(to() / "world/region/r", "restored");
  const auto copied = copy({"world/region"});
  ASSERT_TRUE(copied) << copied.error().text();
  EXPECT_EQ(read_all(to() / "world/region/r"), "restored");
  EXPECT_EQ(read_all(to() / "world/level"), "kept");
  EXPECT_EQ(read_all(to() / "world/region.txt"), "kept");
  struct stat info{};
  ASSERT_EQ(::stat((to() / "world").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0750U);
  EXPECT_EQ(info.st_mtim.tv_sec, 1'500'000'000);
}

TEST_F(CopyTreeTest, WhatIsInTheWayIsNamed) {
  write_file(from() / "world", "a file");
  fs::create_directories(to() / "world");
  const auto copied = copy();
  ASSERT_FALSE(copied);
  EXPECT_EQ(copied.error().code, Code::kFailedPrecondition);
  EXPECT_NE(copied.error().message.find("world"), std::string::npos);
}

}  // namespace
}  // namespace manman::archive::test
