#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <random>

#include "host/host_fixture_for_tests.h"

namespace manman::host {
namespace {

namespace fs = std::filesystem;

class FingerprintTest : public HostTest {
 protected:
  FingerprintTest() { start_host(); }

  // A backup that asks for the fingerprint, and brings that of the last one.
  BackupReport make(const std::function<void(BackupCommand&)>& say = nullptr) {
    BackupCommand command = backup(++made_);
    command.fingerprint = true;
    command.last_fingerprint = last_.fingerprint;
    command.last_backup_id = last_.backup_id;
    if (say) say(command);
    send(command);
    BackupReport ended;
    EXPECT_TRUE(world_->wait_for([&](const Message& message) {
      const auto report = BackupReport::parse(message.body);
      if (!report || report->backup_id != made_ || report->status == "running") return false;
      ended = *report;
      return true;
    }));
    if (ended.status == "completed") last_ = ended;
    return ended;
  }
  bool skipped(const BackupReport& report) {
    return report.skipped && report.unchanged_since_backup_id == last_.backup_id;
  }

  int64_t made_ = 0;
  BackupReport last_;
};

TEST_F(FingerprintTest, NothingIsMadeOfWhatIsUnchanged) {
  make_world("A");
  const BackupReport first = make();
  EXPECT_EQ(first.status, "completed");
  EXPECT_EQ(first.fingerprint.size(), 64U);
  const BackupReport second = make();
  EXPECT_EQ(second.status, "failed");
  EXPECT_TRUE(skipped(second));
  EXPECT_EQ(second.error_message, "nothing changed since backup 1");
  EXPECT_FALSE(world_->store->head(backup(2).s3_key));
  wait_journal_empty();
}

TEST_F(FingerprintTest, EveryKindOfChangeIsSeen) {
  make_world("A");
  write(game() / "gone", "1234");
  write(game() / "kept", "1234");
  write(game() / "noise.log", "1");
  const auto no_logs = [](BackupCommand& command) {
    command.launch.handling.leave_out = {"*.log"};
  };
  EXPECT_EQ(make(no_logs).status, "completed");
  EXPECT_TRUE(skipped(make(no_logs)));
  write(game() / "noise.log", "other");
  // What is left out does not count; the folder that it stands in has not changed.
  EXPECT_TRUE(skipped(make(no_logs)));
  const std::function<void()> changes[] = {
      [&] {  // as many bytes, and the time set back
        struct stat before{};
        ASSERT_EQ(::stat((game() / "kept").c_str(), &before), 0);
        write(game() / "kept", "5678");
        const timespec times[] = {before.st_atim, before.st_mtim};
        ASSERT_EQ(::utimensat(AT_FDCWD, (game() / "kept").c_str(), times, 0), 0);
      },
      [&] { fs::remove(game() / "gone"); },
      [&] { fs::rename(game() / "kept", game() / "renamed"); },
      [&] { fs::create_directory(game() / "empty"); },
      [&] { fs::create_symlink("renamed", game() / "link"); },
      [&] { ::chmod((game() / "renamed").c_str(), 0600); },
  };
  for (const auto& change : changes) {
    change();
    EXPECT_EQ(make(no_logs).status, "completed");
    EXPECT_TRUE(skipped(make(no_logs)));
  }
  EXPECT_EQ(make().status, "completed") << "another handling is another backup";
  EXPECT_EQ(make([](BackupCommand& command) {
              command.compression = Compression::default_of(ArchiveFormat::kZstd);
            }).status,
            "completed")
      << "and so is another form of the archive";
}

TEST_F(FingerprintTest, ASgcWithoutDataSaysSo) {
  const BackupReport report = make();
  EXPECT_EQ(report.status, "failed");
  EXPECT_TRUE(report.skipped);
  EXPECT_EQ(report.unchanged_since_backup_id, 0);
  EXPECT_NE(report.error_message.find("has no save data"), std::string::npos);
}

TEST_F(FingerprintTest, ACommandThatDoesNotAskGetsABackup) {
  make_world("A");
  EXPECT_EQ(make().status, "completed");
  const BackupReport report = make([](BackupCommand& command) { command.fingerprint = false; });
  EXPECT_EQ(report.status, "completed");
  EXPECT_EQ(report.fingerprint, "");
}

TEST_F(FingerprintTest, TheLimitOfACommandHolds) {
  make_world("A");
  std::string noise;
  std::mt19937 random(1);
  while (noise.size() < 400'000) noise += static_cast<char>(random());
  write(game() / "noise", noise);
  const auto begun = std::chrono::steady_clock::now();
  EXPECT_EQ(make([](BackupCommand& command) { command.upload_bytes_per_second = 200'000; }).status,
            "completed");
  EXPECT_GT(std::chrono::steady_clock::now() - begun, std::chrono::milliseconds(1200));
}

}  // namespace
}  // namespace manman::host
