#include "archive/staging.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <fstream>
#include <optional>

#include "base/file.h"

namespace manman::archive {
namespace {
namespace fs = std::filesystem;

class StagingTest : public testing::Test {
 protected:
  StagingTest() {
    std::string name = (fs::temp_directory_path() / "staging-test-XXXXXX").string();
    dir_ = ::mkdtemp(name.data());
  }
  ~StagingTest() override { EXPECT_TRUE(remove_tree(dir_)); }

  void make(const std::string& folder, const std::string& contents) {
    fs::create_directories(dir_ / folder);
    std::ofstream(dir_ / folder / "level.dat") << contents;
  }
  std::string contents(const std::string& folder) {
    return read_file(dir_ / folder / "level.dat").value_or("(missing)");
  }

  fs::path dir_;
};

TEST_F(StagingTest, FolderIsRemovedWithAllInItUnlessReleased) {
  {
    auto staging = Staging::create(dir_ / "restore-1");
    ASSERT_TRUE(staging);
    make("restore-1/game/world", "x");
    fs::permissions(dir_ / "restore-1/game/world", fs::perms::none);
  }
  EXPECT_FALSE(fs::exists(dir_ / "restore-1"));
  {
    auto staging = Staging::create(dir_ / "restore-2");
    ASSERT_TRUE(staging);
    staging->release();
  }
  EXPECT_TRUE(fs::exists(dir_ / "restore-2"));
}

TEST_F(StagingTest, MovedFromFolderStaysUntilTheNewOwnerGoes) {
  std::optional<Staging> owner;
  {
    auto staging = Staging::create(dir_ / "restore-1");
    ASSERT_TRUE(staging);
    owner.emplace(std::move(*staging));
  }
  EXPECT_TRUE(fs::exists(dir_ / "restore-1"));
  owner.reset();
  EXPECT_FALSE(fs::exists(dir_ / "restore-1"));
}

TEST_F(StagingTest, CreateStartsEmptyAfterACrash) {
  make("restore-1/game", "half");
  auto staging = Staging::create(dir_ / "restore-1");
  ASSERT_TRUE(staging);
  EXPECT_TRUE(fs::is_empty(dir_ / "restore-1"));
}

TEST_F(StagingTest, CreateWithoutParentNamesThePath) {
  auto staging = Staging::create(dir_ / "missing/restore-1");
  ASSERT_FALSE(staging);
  EXPECT_NE(staging.error().message.find("missing/restore-1"), std::string::npos);
}

TEST_F(StagingTest, SwapExchangesBothFoldersAndIdentityFollows) {
  make("game", "old");
  make("staged", "new");
  const std::string staged = folder_identity(dir_ / "staged").value();
  const std::string live = folder_identity(dir_ / "game").value();
  ASSERT_NE(staged, live);
  ASSERT_TRUE(swap_in(dir_ / "staged", dir_ / "game"));
  EXPECT_EQ(contents("game"), "new");
  EXPECT_EQ(contents("staged"), "old");
  EXPECT_EQ(folder_identity(dir_ / "game").value(), staged);
  EXPECT_EQ(folder_identity(dir_ / "staged").value(), live);
}

TEST_F(StagingTest, SwapRenamesWhenThereIsNoLiveFolder) {
  make("sub/staged", "new");
  ASSERT_TRUE(swap_in(dir_ / "sub/staged", dir_ / "game"));
  EXPECT_EQ(contents("game"), "new");
  EXPECT_FALSE(fs::exists(dir_ / "sub/staged"));
}

TEST_F(StagingTest, SwapRefusesWhatIsNoFolderAndChangesNothing) {
  make("staged", "new");
  make("elsewhere", "old");
  fs::create_directory_symlink(dir_ / "elsewhere", dir_ / "game");
  auto swapped = swap_in(dir_ / "staged", dir_ / "game");
  ASSERT_FALSE(swapped);
  EXPECT_EQ(swapped.error().code, Code::kFailedPrecondition);
  EXPECT_TRUE(fs::is_symlink(dir_ / "game"));
  EXPECT_EQ(contents("game"), "old");
  EXPECT_EQ(contents("staged"), "new");
}

TEST_F(StagingTest, SwapOfAMissingFolderChangesNothing) {
  make("game", "old");
  auto swapped = swap_in(dir_ / "staged", dir_ / "game");
  ASSERT_FALSE(swapped);
  EXPECT_EQ(swapped.error().code, Code::kNotFound);
  EXPECT_EQ(contents("game"), "old");
}

TEST_F(StagingTest, IdentityOfAMissingFolderIsNotFound) {
  EXPECT_EQ(folder_identity(dir_ / "none").error().code, Code::kNotFound);
}

TEST_F(StagingTest, SyncTreeNamesAMissingFolder) {
  const auto sync = TreeSync::open(dir_);
  ASSERT_TRUE(sync);
  EXPECT_TRUE(sync->finish());
  EXPECT_EQ(TreeSync::open(dir_ / "none").error().code, Code::kNotFound);
}

}  // namespace
}  // namespace manman::archive
