#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <random>
#include <thread>

#include "archive/archive.h"
#include "base/failpoint.h"
#include "base/file.h"
#include "host/host_fixture_for_tests.h"
#include "host/store_for_tests.h"

namespace manman::host {
namespace {

namespace fs = std::filesystem;

class BackupFlowTest : public HostTest {
 protected:
  BackupFlowTest() : store_(*world_->store) { world_->store_in_use = &store_; }

  void hold(bool on) { store_.hold(on); }
  bool stored(int64_t backup_id) {
    return world_->store->head(backup(backup_id).s3_key).has_value();
  }
  size_t uploads() const {
    const fs::path dir = dir_ / "store/.uploads";
    return fs::exists(dir) ? static_cast<size_t>(std::distance(fs::directory_iterator(dir), {}))
                           : 0;
  }
  // What the stored archive holds, unpacked.
  std::map<std::string, std::string> archived(int64_t backup_id) {
    const auto source = open_object(*world_->store, backup(backup_id).s3_key);
    EXPECT_TRUE(source);
    const fs::path target = dir_ / ("unpacked-" + std::to_string(backup_id));
    fs::remove_all(target);
    fs::create_directory(target);
    archive::UnpackOptions options;
    options.strip_prefix = "game";
    const auto unpacked = archive::unpack(**source, target, options);
    EXPECT_TRUE(unpacked) << unpacked.error().message;
    return tree(target);
  }

  UnreliableStore store_;
};

TEST_F(BackupFlowTest, HoldsAllOfTheGameAndSaysHowMuch) {
  start_host();
  const BackupReport report = backed_up(5, "A");
  EXPECT_EQ(report.s3_url, "s3://bucket/backups/42/5.tar.gz");
  EXPECT_EQ(report.server_id, kServer);
  const auto stored = world_->store->head("backups/42/5.tar.gz");
  ASSERT_TRUE(stored);
  EXPECT_EQ(static_cast<uint64_t>(report.size_bytes), stored->size_bytes);
  const auto source = open_object(*world_->store, "backups/42/5.tar.gz");
  const auto verified = archive::verify(**source, 1, nullptr);
  ASSERT_TRUE(verified) << verified.error().message;
  EXPECT_EQ(to_hex(verified->sha256), report.sha256);
  EXPECT_EQ(static_cast<int64_t>(verified->entries), report.entries);
  EXPECT_EQ(report.total_bytes, report.progress_bytes);
  EXPECT_EQ(archived(5), tree(game()));
  EXPECT_EQ(uploads(), 0U);
  wait_journal_empty();
}

// A database that was made anew gives the same keys again.
TEST_F(BackupFlowTest, ArchiveOfAnotherDatabaseIsNeitherReplacedNorRemoved) {
  const auto put_old = [&](const std::string& key) {
    auto upload = world_->store->put(key, 3);
    ASSERT_TRUE(upload && (*upload)->write(as_bytes("old")) && (*upload)->commit());
  };
  const auto marked = [](int64_t id, int attempt) {
    BackupCommand command = backup(id);
    command.attempt = attempt;
    command.mark = "new";
    command.origin = R"({"mark": "new"})";
    return command;
  };
  make_world("A");
  start_host();
  put_old(backup(5).s3_key);
  send(marked(5, 1));
  EXPECT_NE(wait_backup(5, "failed").error_message.find("is another backup already"),
            std::string::npos);
  // It comes while the backup is under way.
  hold(true);
  send(marked(6, 1));
  ASSERT_TRUE(eventually([&] { return store_.waiting > 0; }));
  put_old(backup(6).s3_key);
  hold(false);
  wait_backup(6, "failed");
  wait_journal_empty();
  const CancelBackupCommand cancel{.backup_id = 5,
                                   .sgc_id = kSgc,
                                   .s3_key = backup(5).s3_key,
                                   .s3_url = backup(5).s3_url,
                                   .mark = "new"};
  ASSERT_TRUE(world_->send("backup.cancel", cancel.to_json()));
  wait_journal_empty();
  for (const int64_t id : {5, 6}) {
    const auto there = world_->store->head(backup(id).s3_key);
    ASSERT_TRUE(there);
    EXPECT_EQ(there->size_bytes, 3U);
  }
  // Its own is replaced by another attempt.
  send(marked(7, 1));
  wait_backup(7, "completed");
  send(marked(7, 2));
  wait_journal_empty();
  EXPECT_TRUE(eventually([&] {
    const auto all = world_->reports();
    return std::ranges::any_of(all, [](const Message& message) {
      const auto report = BackupReport::parse(message.body);
      return report && report->backup_id == 7 && report->attempt == 2 &&
             report->status == "completed" && report->mark == "new";
    });
  }));
}

TEST_F(BackupFlowTest, GameThatRunsIsQuietWhileItIsReadAndResumedAfter) {
  make_world("A");
  start_host();
  start(session(7));
  wait_session(7, "running");
  hold(true);
  send(backup(5));
  ASSERT_TRUE(eventually([&] { return store_.waiting > 0; }));
  EXPECT_EQ(read(gsc() / "console"), "save-off\nsave-all\n");
  hold(false);
  wait_backup(5, "completed");
  EXPECT_TRUE(
      eventually([&] { return read(gsc() / "console") == "save-off\nsave-all\nsave-on\n"; }));
}

TEST_F(BackupFlowTest, GameThatDoesNotAnswerFailsTheBackupAndIsResumed) {
  make_world("A");
  start_host();
  start(session(7));
  wait_session(7, "running");
  BackupCommand command = backup(5);
  command.launch.handling.quiesce = {{"save-off", "^never said$", 1}};
  send(command);
  const BackupReport report = wait_backup(5, "failed");
  EXPECT_NE(report.error_message.find("save-off"), std::string::npos) << report.error_message;
  EXPECT_NE(report.error_message.find("never said"), std::string::npos) << report.error_message;
  EXPECT_TRUE(eventually([&] { return read(gsc() / "console") == "save-off\nsave-on\n"; }));
  EXPECT_FALSE(stored(5));
}

TEST_F(BackupFlowTest, ServerThatNeverRanIsNamed) {
  start_host();
  send(backup(5));
  const BackupReport report = wait_backup(5, "failed");
  EXPECT_NE(report.error_message.find("SGC 42"), std::string::npos) << report.error_message;
  EXPECT_NE(report.error_message.find("never run"), std::string::npos) << report.error_message;
  wait_journal_empty();
}

TEST_F(BackupFlowTest, StoreThatComesBackIsTriedAgain) {
  store_.failing_puts = 2;
  start_host();
  backed_up(5, "A");
  EXPECT_EQ(archived(5), tree(game()));
  EXPECT_EQ(store_.puts, 3);
}

TEST_F(BackupFlowTest, StoreThatStaysAwayFailsWithItsReason) {
  store_.failing_puts = 100;
  start_host();
  make_world("A");
  send(backup(5));
  EXPECT_NE(wait_backup(5, "failed").error_message.find("the store is away"), std::string::npos);
  EXPECT_EQ(store_.puts, config().upload_attempts);
}

TEST_F(BackupFlowTest, ErrorThatNoRetryHelpsIsNotRetried) {
  store_.failing_puts = 100;
  store_.retryable = false;
  start_host();
  make_world("A");
  send(backup(5));
  wait_backup(5, "failed");
  EXPECT_EQ(store_.puts, 1);
}

TEST_F(BackupFlowTest, ObjectThatIsNotWhatWasWrittenIsNoBackup) {
  store_.lying_heads = 100;
  start_host();
  make_world("A");
  send(backup(5));
  const BackupReport report = wait_backup(5, "failed");
  EXPECT_NE(report.error_message.find("backups/42/5.tar.gz"), std::string::npos);
  EXPECT_FALSE(stored(5));
}

TEST_F(BackupFlowTest, AnotherBucketIsRefusedAndNothingOfItTouched) {
  start_host();
  backed_up(5, "A");
  BackupCommand command = backup(5);
  command.attempt = 2;
  command.s3_url = "s3://elsewhere/backups/42/5.tar.gz";
  send(command);
  const BackupReport report = wait_backup(5, "failed");
  EXPECT_NE(report.error_message.find("s3://elsewhere/"), std::string::npos);
  EXPECT_TRUE(stored(5));
}

TEST_F(BackupFlowTest, ErrorAtAnyStepFailsItAndLeavesNoObject) {
  start_host();
  make_world("A");
  int64_t id = 100;
  for (const std::string point :
       {"backup.running_reported", "backup.upload_started", "backup.archived",
        "store.folder.synced", "store.folder.renamed", "backup.uploaded"}) {
    ASSERT_TRUE(failpoint::configure(point + "=error:disk on fire"));
    send(backup(++id));
    const BackupReport report = wait_backup(id, "failed");
    EXPECT_NE(report.error_message.find("disk on fire"), std::string::npos) << point;
    EXPECT_FALSE(stored(id)) << point;
    EXPECT_EQ(uploads(), 0U) << point;
  }
}

TEST_F(BackupFlowTest, RenewsItsLeaseWhileItWorksAndWhileItWaits) {
  start_host();
  make_world("A");
  hold(true);
  send(backup(5));
  send(backup(6));  // waits behind it in the lane
  ASSERT_TRUE(eventually([&] { return store_.waiting > 0; }));
  world_->forget_reports();
  EXPECT_GT(wait_backup(5, "running").total_bytes, 1500000);
  wait_backup(6, "running");
  hold(false);
  wait_backup(5, "completed");
  wait_backup(6, "completed");
}

TEST_F(BackupFlowTest, SameCommandTwiceDoesItsWorkOnce) {
  start_host();
  hold(true);
  make_world("A");
  send(backup(5));
  send(backup(5));
  ASSERT_TRUE(eventually([&] { return store_.waiting > 0; }));
  hold(false);
  const BackupReport first = wait_backup(5, "completed");
  wait_journal_empty();
  EXPECT_EQ(store_.puts, 1);
  // Once more after it is done, in the next process too: the same report, no work.
  restart_host();
  make_world("B");
  send(backup(5));
  EXPECT_EQ(wait_backup(5, "completed").sha256, first.sha256);
  EXPECT_EQ(store_.puts, 1);
}

TEST_F(BackupFlowTest, OlderAttemptGivesWay) {
  start_host();
  make_world("A");
  hold(true);
  send(backup(4));  // the lane is taken
  ASSERT_TRUE(eventually([&] { return store_.waiting > 0; }));
  send(backup(5));
  BackupCommand again = backup(5);
  again.attempt = 2;
  send(again);
  hold(false);
  EXPECT_EQ(wait_backup(5, "completed").attempt, 2);
  EXPECT_EQ(store_.puts, 2);
}

TEST_F(BackupFlowTest, StopOfTheHostResumesTheGameAndTheNextStartGoesOn) {
  make_world("A");
  std::mt19937 random(1);  // so that it takes many writes
  std::string noise(30 << 20, '\0');
  std::ranges::generate(noise, [&] { return static_cast<char>(random()); });
  write(game() / "noise", noise);
  start_host();
  start(session(7));
  wait_session(7, "running");
  store_.write_ms = 100;
  send(backup(5));
  ASSERT_TRUE(eventually([&] { return uploads() == 1; }));
  world_->stop();
  EXPECT_EQ(uploads(), 0U);
  EXPECT_FALSE(stored(5));
  EXPECT_TRUE(eventually([&] { return read(gsc() / "console").ends_with("save-on\n"); }));
  store_.write_ms = 0;
  restart_host();
  wait_backup(5, "completed");
  EXPECT_EQ(uploads(), 0U);
  for (const Message& message : world_->reports())
    EXPECT_EQ(message.body.find("\"failed\""), std::string::npos) << message.body;
}

TEST_F(BackupFlowTest, KilledAtAnyPointItIsDoneOnceAfterTheNextStart) {
  make_world("A");
  int64_t id = 200;
  for (const std::string point :
       {"host.command.received", "host.command.journaled", "backup.running_reported",
        "backup.upload_started", "backup.archived", "store.folder.synced", "store.folder.renamed",
        "backup.uploaded", "backup.upload_journaled", "backup.reported"}) {
    SCOPED_TRACE(point);
    const BackupCommand command = backup(++id);
    crash_at(point, "backup", command.to_json());
    restart_host();
    send(command);  // was perhaps not acknowledged
    const BackupReport report = wait_backup(id, "completed");
    EXPECT_EQ(archived(id), tree(game()));
    EXPECT_EQ(static_cast<uint64_t>(report.size_bytes),
              world_->store->head(command.s3_key).value().size_bytes);
    EXPECT_EQ(uploads(), 0U);
    wait_journal_empty();
  }
}

TEST_F(BackupFlowTest, KilledWithTheGameQuiescedItIsResumedAtOnceAndAtTheNextStart) {
  make_world("A");
  start_host();
  start(session(7));
  wait_session(7, "running");
  crash_at("backup.quiesced", "backup", backup(5).to_json());
  const std::string resumed = "save-off\nsave-all\nsave-on\n";
  EXPECT_TRUE(eventually([&] { return read(gsc() / "console") == resumed; })) << "by its guard";
  hold(true);
  restart_host();
  // Before the backup is taken up again.
  EXPECT_TRUE(
      eventually([&] { return read(gsc() / "console").starts_with(resumed + "save-on\n"); }));
  hold(false);
  wait_backup(5, "completed");
  EXPECT_EQ(read(gsc() / "starts"), "started\n");
}

TEST_F(BackupFlowTest, JobThatEndsTheHostAgainAndAgainIsGivenUp) {
  make_world("A");
  crash_at("backup.upload_started", "backup", backup(5).to_json());
  EXPECT_EQ(uploads(), 1U);
  const fs::path path = dir_ / "data/journal/backup-5-1.json";
  std::string record = read(path);
  const std::string count = "\"starts\": ";
  ASSERT_NE(record.find(count + "0"), std::string::npos) << record;
  write(path, record.replace(record.find(count), count.size() + 1, count + "10"));
  restart_host();
  const BackupReport report = wait_backup(5, "failed");
  EXPECT_NE(report.error_message.find("given up"), std::string::npos) << report.error_message;
  EXPECT_EQ(uploads(), 0U);
  wait_journal_empty();
}

}  // namespace
}  // namespace manman::host
