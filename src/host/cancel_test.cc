#include <algorithm>

#include "host/host_fixture_for_tests.h"
#include "host/store_for_tests.h"

namespace manman::host {
namespace {

namespace fs = std::filesystem;

class CancelTest : public HostTest {
 protected:
  CancelTest() : store_(*world_->store) { world_->store_in_use = &store_; }
  void TearDown() override {
    store_.hold(false);
    HostTest::TearDown();
  }

  static CancelBackupCommand cancel(int64_t backup_id) {
    const BackupCommand command = backup(backup_id);
    return {
        .backup_id = backup_id, .sgc_id = kSgc, .s3_key = command.s3_key, .s3_url = command.s3_url};
  }
  void send_cancel(int64_t backup_id) {
    const auto sent = world_->send("backup.cancel", cancel(backup_id).to_json());
    ASSERT_TRUE(sent) << sent.error().message;
  }
  // A backup that is at work and can't go on.
  void begin_held(int64_t backup_id) {
    make_world("A");
    store_.hold(true);
    send(backup(backup_id));
    ASSERT_TRUE(eventually([&] { return store_.waiting > 0; }));
  }
  bool in_journal(const std::string& name) const {
    return fs::exists(dir_ / "data/journal" / (name + ".json"));
  }
  void wait_all_gone(int64_t backup_id) {
    EXPECT_TRUE(eventually([&] {
      return !in_journal("backup-" + std::to_string(backup_id) + "-1") &&
             !in_journal("cancel-" + std::to_string(backup_id) + "-1");
    }));
    EXPECT_FALSE(world_->store->head(backup(backup_id).s3_key));
    const fs::path uploads = dir_ / "store/.uploads";
    EXPECT_TRUE(!fs::exists(uploads) || fs::is_empty(uploads));
  }
  bool reported(int64_t backup_id, const std::string& status) {
    const auto all = world_->reports();
    return std::ranges::any_of(all, [&](const Message& message) {
      const auto report = BackupReport::parse(message.body);
      return report && report->backup_id == backup_id && report->status == status;
    });
  }

  UnreliableStore store_;
};

TEST_F(CancelTest, BackupAtWorkEndsAndLeavesNothingAndTheGameGoesOn) {
  start_host();
  start(session(7));
  wait_session(7, "running");
  begin_held(5);
  EXPECT_EQ(read(gsc() / "console"), "save-off\nsave-all\n");
  send_cancel(5);
  EXPECT_TRUE(
      eventually([&] { return read(gsc() / "console") == "save-off\nsave-all\nsave-on\n"; }));
  wait_all_gone(5);
  EXPECT_FALSE(reported(5, "completed"));
  EXPECT_FALSE(reported(5, "failed"));
  store_.hold(false);
  backed_up(6, "B");
}

TEST_F(CancelTest, BackupThatWaitsInItsLaneEndsAtOnce) {
  start_host();
  begin_held(5);
  send(backup(6));
  ASSERT_TRUE(in_journal("backup-6-1"));
  send_cancel(6);
  EXPECT_TRUE(eventually([&] { return !in_journal("backup-6-1") && !in_journal("cancel-6-1"); }));
  EXPECT_GT(store_.waiting, 0);
  store_.hold(false);
  wait_backup(5, "completed");
  EXPECT_FALSE(reported(6, "completed"));
}

TEST_F(CancelTest, CancelBeforeTheCommand) {
  start_host();
  make_world("A");
  send_cancel(5);
  wait_all_gone(5);
  send(backup(5));
  EXPECT_NE(wait_backup(5, "failed").error_message.find("cancelled"), std::string::npos);
  wait_all_gone(5);
  EXPECT_EQ(store_.puts, 0);
  // Also another attempt, and after a restart.
  restart_host();
  BackupCommand again = backup(5);
  again.attempt = 2;
  send(again);
  wait_journal_empty();
  EXPECT_EQ(store_.puts, 0);
}

TEST_F(CancelTest, CancelAfterTheEndRemovesTheObject) {
  start_host();
  backed_up(5, "A");
  wait_journal_empty();
  ASSERT_TRUE(world_->store->head(backup(5).s3_key));
  send_cancel(5);
  wait_all_gone(5);
}

TEST_F(CancelTest, CancelTwice) {
  start_host();
  begin_held(5);
  send_cancel(5);
  send_cancel(5);
  wait_all_gone(5);
  store_.hold(false);
  // Late, when another backup has the store's attention; it must not be touched.
  backed_up(6, "B");
  send_cancel(5);
  wait_journal_empty();
  EXPECT_TRUE(world_->store->head(backup(6).s3_key));
}

TEST_F(CancelTest, StoreThatIsAwayIsCleanedLater) {
  start_host();
  backed_up(5, "A");
  wait_journal_empty();
  store_.failing_removes = 1'000'000;
  send_cancel(5);
  ASSERT_TRUE(eventually([&] { return store_.failing_removes < 1'000'000; }));
  EXPECT_TRUE(in_journal("cancel-5-1"));
  world_->stop();
  EXPECT_TRUE(in_journal("cancel-5-1"));
  store_.failing_removes = 0;
  start_host();
  wait_all_gone(5);
}

TEST_F(CancelTest, GarbledCancelIsRejected) {
  start_host();
  auto sent = world_->send("backup.cancel", R"({"command":"cancel_backup","backup_id":5})");
  EXPECT_TRUE(sent || sent.error().code == Code::kInvalidArgument);
  backed_up(5, "A");
}

}  // namespace
}  // namespace manman::host
