#include "store/folder/folder_store.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "base/failpoint.h"
#include "store/store_conformance.h"

namespace manman {
namespace {

namespace fs = std::filesystem;

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (fs::temp_directory_path() / "manman-store-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp " + pattern);
    path_ = pattern;
  }
  ~TemporaryFolder() { fs::remove_all(path_); }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

class FolderFixture {
 public:
  FolderFixture() : store_(open_folder_store(folder_.path() / "new" / "root", "manman").value()) {}
  Store& store() { return *store_; }

 private:
  TemporaryFolder folder_;
  std::unique_ptr<Store> store_;
};
INSTANTIATE_TYPED_TEST_SUITE_P(Folder, StoreConformance, FolderFixture);

class FolderStoreTest : public testing::Test {
 protected:
  void SetUp() override {
    auto opened = open_folder_store(root(), "bucket");
    ASSERT_TRUE(opened) << opened.error().message;
    store_ = std::move(*opened);
  }
  void TearDown() override { ASSERT_TRUE(failpoint::configure("")); }

  fs::path root() const { return folder_.path() / "root"; }
  bool no_uploads_left() const { return fs::is_empty(root() / ".uploads"); }
  Store& store() { return *store_; }

  TemporaryFolder folder_;
  std::unique_ptr<Store> store_;
};

TEST_F(FolderStoreTest, AnObjectIsAFileUnderItsKey) {
  ASSERT_TRUE(put_object(store(), "backups/3/5.tar.gz", "bytes"));
  EXPECT_EQ(read_file(root() / "bucket/backups/3/5.tar.gz").value(), "bytes");
  EXPECT_TRUE(no_uploads_left());
  struct stat info{};
  ASSERT_EQ(::stat((root() / "bucket/backups/3/5.tar.gz").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0077, 0U) << "others can read the archive";
}

TEST_F(FolderStoreTest, AnAbandonedUploadLeavesNoFile) {
  {
    auto upload = store().put("a", 10);
    ASSERT_TRUE(upload && (*upload)->write(as_bytes("half")));
    EXPECT_FALSE(no_uploads_left());
  }
  EXPECT_TRUE(no_uploads_left());
}

TEST_F(FolderStoreTest, AnUploadThatACrashLeftIsAborted) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    auto upload = store().put("a", 10);
    (void)(upload && (*upload)->write(as_bytes("half")));
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_FALSE(no_uploads_left()) << "another process may still be uploading";
  EXPECT_TRUE(store().abort_uploads("b"));
  EXPECT_FALSE(no_uploads_left()) << "removed that of another key";
  EXPECT_TRUE(store().abort_uploads("a"));
  EXPECT_TRUE(no_uploads_left());
}

TEST_F(FolderStoreTest, KeysTooLongForAFileNameAreToldApart) {
  const std::string most = std::string(200, 'x') + "/" + std::string(200, 'y');
  auto first = store().put(most + "1", 1);
  auto second = store().put(most + "2", 1);
  ASSERT_TRUE(first && second);
  ASSERT_TRUE(store().abort_uploads(most + "1"));
  EXPECT_FALSE((*first)->commit());
  EXPECT_TRUE((*second)->commit());
}

TEST_F(FolderStoreTest, OneBucketLeavesTheUploadsOfAnotherAlone) {
  auto other = open_folder_store(root(), "bucket2");
  auto upload = (*other)->put("a", 1);
  ASSERT_TRUE(upload);
  ASSERT_TRUE(store().abort_uploads("a"));
  EXPECT_EQ(store().sweep_uploads("", std::chrono::seconds(-10)), 0);
  EXPECT_TRUE((*upload)->commit());
}

TEST_F(FolderStoreTest, CleaningRemovesNothingButUploads) {
  using std::string_literals::operator""s;
  const std::string no_id(32, 'g');
  for (const std::string& name : {"precious"s, "bucket%2fa~" + no_id, "bucket%2fa~12"s})
    std::ofstream(root() / ".uploads" / name) << "x";
  EXPECT_TRUE(store().abort_uploads("a"));
  EXPECT_EQ(store().sweep_uploads("", std::chrono::seconds(-10)), 0);
  EXPECT_EQ(std::distance(fs::directory_iterator(root() / ".uploads"), {}), 3);
}

// kill -9 at each durable step: the object is wholly there or not at all.
TEST_F(FolderStoreTest, ACrashAtCommitLeavesAllOrNothing) {
  const std::pair<const char*, bool> points[] = {{"store.folder.synced", false},
                                                 {"store.folder.renamed", true}};
  for (const auto& [point, there] : points) {
    const std::string key = std::string("k/") + point;
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      (void)failpoint::configure(std::string(point) + "=crash");
      (void)put_object(store(), key, "whole");
      ::_exit(0);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << point << " was not passed";
    EXPECT_EQ(store().head(key).has_value(), there) << point;
    if (there) {
      EXPECT_EQ(get_object(store(), key, 0, 5), "whole");
    }
  }
}

TEST_F(FolderStoreTest, AFailedCommitLeavesNothing) {
  ASSERT_TRUE(failpoint::configure("store.folder.synced=error:disk on fire"));
  const auto put = put_object(store(), "a", "x");
  ASSERT_FALSE(put);
  EXPECT_NE(put.error().message.find("disk on fire"), std::string::npos);
  EXPECT_EQ(store().head("a").error().code, Code::kNotFound);
  EXPECT_TRUE(no_uploads_left());
}

TEST_F(FolderStoreTest, FollowsNoSymlink) {
  fs::create_directories(folder_.path() / "outside");
  std::ofstream(folder_.path() / "outside/secret") << "secret";
  fs::create_directory_symlink(folder_.path() / "outside", root() / "bucket/link");
  fs::create_symlink(folder_.path() / "outside/secret", root() / "bucket/file");

  for (const char* key : {"link/secret", "file"}) {
    EXPECT_FALSE(store().head(key)) << key;
    EXPECT_FALSE(get_object(store(), key, 0, 1)) << key;
  }
  const auto put = put_object(store(), "link/new", "x");
  ASSERT_FALSE(put);
  EXPECT_NE(put.error().message.find("symlink"), std::string::npos) << put.error().message;
  EXPECT_FALSE(store().remove("link/secret"));
  EXPECT_TRUE(keys_below(store(), "").empty());
  EXPECT_TRUE(fs::exists(folder_.path() / "outside/secret"));
  EXPECT_FALSE(fs::exists(folder_.path() / "outside/new"));

  ASSERT_TRUE(put_object(store(), "file", "object")) << "takes the link's place";
  EXPECT_EQ(read_file(folder_.path() / "outside/secret").value(), "secret");
}

TEST_F(FolderStoreTest, AFifoIsNoObjectAndDoesNotBlock) {
  ASSERT_EQ(::mkfifo((root() / "bucket/fifo").c_str(), 0600), 0);
  EXPECT_EQ(store().head("fifo").error().code, Code::kNotFound);
  EXPECT_TRUE(keys_below(store(), "").empty());
}

TEST_F(FolderStoreTest, AKeyBelowAnObjectIsRefusedClearly) {
  ASSERT_TRUE(put_object(store(), "a", "x"));
  const auto below = put_object(store(), "a/b", "y");
  ASSERT_FALSE(below);
  EXPECT_EQ(below.error().code, Code::kFailedPrecondition) << below.error().message;
  ASSERT_TRUE(put_object(store(), "c/d", "x"));
  const auto above = put_object(store(), "c", "y");
  ASSERT_FALSE(above);
  EXPECT_EQ(above.error().code, Code::kFailedPrecondition) << above.error().message;
  EXPECT_EQ(keys_below(store(), ""), (std::set<std::string>{"a", "c/d"}));
  EXPECT_TRUE(no_uploads_left());
}

TEST_F(FolderStoreTest, ASegmentTooLongForAFileIsRefused) {
  EXPECT_EQ(store().put(std::string(256, 'x'), 1).error().code, Code::kInvalidArgument);
  EXPECT_TRUE(put_object(store(), std::string(255, 'x'), "x"));
}

TEST_F(FolderStoreTest, TheLongestKeyWorks) {
  std::string key = "d";
  while (key.size() + 2 <= 1024) key += "/d";
  ASSERT_TRUE(put_object(store(), key, "x"));
  EXPECT_EQ(keys_below(store(), ""), std::set<std::string>{key});
}

// A file size limit gives EFBIG, not ENOSPC, so a
// small file system is mounted where that is allowed.
TEST_F(FolderStoreTest, AFullDiskIsNamedWithItsFreeSpace) {
  const fs::path small = folder_.path() / "small";
  fs::create_directory(small);
  if (::system(("mount -t tmpfs -o size=256k tmpfs " + small.string() + " 2>/dev/null").c_str()) !=
      0)
    GTEST_SKIP() << "needs the right to mount";
  {
    auto full = open_folder_store(small, "b");
    ASSERT_TRUE(full);
    const auto put = put_object(**full, "big", std::string(1 << 20, 'x'));
    EXPECT_FALSE(put);
    if (!put) {
      EXPECT_EQ(put.error().code, Code::kResourceExhausted);
      EXPECT_NE(put.error().message.find(small.string()), std::string::npos) << put.error().message;
      EXPECT_NE(put.error().message.find("KiB free"), std::string::npos) << put.error().message;
    }
    EXPECT_TRUE(fs::is_empty(small / ".uploads")) << "the half object still fills the disk";
    EXPECT_TRUE(put_object(**full, "little", "x"));
  }
  EXPECT_EQ(::system(("umount " + small.string()).c_str()), 0);
}

TEST(OpenFolderStoreTest, RefusesBadBucketsAndRoots) {
  const TemporaryFolder folder;
  for (const char* bucket : {"", ".", "..", ".uploads", "a/b"})
    EXPECT_EQ(open_folder_store(folder.path(), bucket).error().code, Code::kInvalidArgument)
        << bucket;
  EXPECT_TRUE(fs::is_empty(folder.path()));
  std::ofstream(folder.path() / "file") << "x";
  const auto opened = open_folder_store(folder.path() / "file", "b");
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().message.find("is not a folder"), std::string::npos);
}

}  // namespace
}  // namespace manman
