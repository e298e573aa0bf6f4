#include <sys/stat.h>

#include "base/failpoint.h"
#include "base/file.h"
#include "host/host_fixture_for_tests.h"

namespace manman::host {
namespace {

namespace fs = std::filesystem;
using Tree = std::map<std::string, std::string>;

class RestoreFlowTest : public HostTest {
 protected:
  // Backup 5 holds world A; the server then goes on to world B.
  void SetUp() override {
    start_host();
    report_ = backed_up(5, "A");
    world_a_ = tree(game());
    make_world("B");
    world_b_ = tree(game());
  }
  StartSessionCommand restoring(int64_t session_id) {
    StartSessionCommand command = session(session_id, 5);
    command.restore_size_bytes = report_.size_bytes;
    command.restore_data_bytes = report_.total_bytes;
    command.restore_sha256 = report_.sha256;
    return command;
  }
  void expect_crashed_as_before(int64_t session_id, const std::string& reason) {
    const SessionReport report = wait_session(session_id, "crashed");
    EXPECT_NE(report.error_message.find(reason), std::string::npos) << report.error_message;
    EXPECT_EQ(report.replaced_data, "none");
    EXPECT_EQ(tree(game()), world_b_);
    expect_tidy();
    EXPECT_EQ(names("replaced-"), std::vector<std::string>());
  }
  void expect_tidy() {
    EXPECT_TRUE(eventually([&] { return names("restore-").empty() && names(".trash-").empty(); }));
    wait_for_final_only();
  }
  void wait_for_final_only() {
    // A session that runs keeps its record; anything else is gone.
    EXPECT_TRUE(eventually([&] {
      for (const auto& entry : fs::directory_iterator(dir_ / "data/journal")) {
        const std::string text = read(entry.path());
        if (entry.path().extension() == ".json" &&
            text.find("\"phase\": \"running\"") == std::string::npos)
          return false;
      }
      return true;
    }));
  }
  std::string object() const { return dir_ / "store/bucket/backups/42/5.tar.gz"; }

  BackupReport report_;
  Tree world_a_;
  Tree world_b_;
};

TEST_F(RestoreFlowTest, BringsTheWorldBackAndKeepsTheOneItReplaced) {
  start(restoring(7));
  const SessionReport running = wait_session(7, "running");
  EXPECT_EQ(running.replaced_data, "kept");
  EXPECT_EQ(tree(game()), world_a_);
  EXPECT_EQ(tree(gsc() / "replaced-7"), world_b_);
  EXPECT_TRUE(eventually([&] { return read(gsc() / "starts") == "started\n"; }));
  struct stat info{};
  ASSERT_EQ(::stat(gsc().c_str(), &info), 0);
  expect_tidy();
}

TEST_F(RestoreFlowTest, OntoAnotherMachineReplacesNothing) {
  fs::remove_all(gsc());
  start(restoring(7));
  EXPECT_EQ(wait_session(7, "running").replaced_data, "none");
  EXPECT_EQ(tree(game()), world_a_);
  struct stat info{};
  ASSERT_EQ(::stat(gsc().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777U, 0750U);
  EXPECT_EQ(names("replaced-"), std::vector<std::string>());
  expect_tidy();
}

TEST_F(RestoreFlowTest, DamagedArchiveLeavesTheGameAsItWas) {
  std::string bytes = read(object());
  bytes[bytes.size() / 3] = static_cast<char>(bytes[bytes.size() / 3] ^ 0x55);
  write(object(), bytes);
  start(restoring(7));
  expect_crashed_as_before(7, "s3://bucket/backups/42/5.tar.gz");
}

TEST_F(RestoreFlowTest, ArchiveOfAnotherSizeIsRefused) {
  write(object(), read(object()) + "x");
  start(restoring(7));
  expect_crashed_as_before(7, "bytes, the backup had " + std::to_string(report_.size_bytes));
}

TEST_F(RestoreFlowTest, ArchiveThatIsGoneIsNamed) {
  fs::remove(object());
  start(restoring(7));
  expect_crashed_as_before(7, "backups/42/5.tar.gz");
}

TEST_F(RestoreFlowTest, UrlOfAnotherStoreIsRefused) {
  StartSessionCommand command = restoring(7);
  command.restore_s3_url = "s3://elsewhere/backups/42/5.tar.gz";
  start(command);
  expect_crashed_as_before(7, "bucket elsewhere");
}

TEST_F(RestoreFlowTest, ErrorBeforeTheSwapLeavesTheGameAsItWas) {
  int64_t id = 100;
  for (const std::string point :
       {"restore.staging_created", "restore.extracted", "restore.swap_journaled"}) {
    SCOPED_TRACE(point);
    ASSERT_TRUE(failpoint::configure(point + "=error:disk on fire"));
    start(restoring(++id));
    expect_crashed_as_before(id, "disk on fire");
  }
}

TEST_F(RestoreFlowTest, ErrorAfterTheSwapSaysThatTheOldDataIsKept) {
  int64_t id = 100;
  for (const std::string point : {"restore.swapped", "restore.replaced_kept", "session.starting"}) {
    SCOPED_TRACE(point);
    make_world("B");
    ASSERT_TRUE(failpoint::configure(point + "=error:disk on fire"));
    start(restoring(++id));
    EXPECT_EQ(wait_session(id, "crashed").replaced_data, "kept");
    EXPECT_EQ(tree(game()), world_a_);
    EXPECT_EQ(tree(gsc() / ("replaced-" + std::to_string(id))), world_b_);
    expect_tidy();
  }
}

TEST_F(RestoreFlowTest, SwapOfAStartThatWasGivenUpIsFinishedAndItsGameNotLaunched) {
  make_world("B");
  StartSessionCommand given_up = restoring(7);
  given_up.lease_ms = 60000;
  crash_at("restore.swap_journaled", "session.start", given_up.to_json());
  host_was_away_for(std::chrono::minutes(2));
  restart_host();
  const SessionReport report = wait_session(7, "crashed");
  EXPECT_NE(report.error_message.find("not carried out"), std::string::npos);
  EXPECT_EQ(report.replaced_data, "kept");
  EXPECT_EQ(tree(game()), world_a_);
  EXPECT_EQ(tree(gsc() / "replaced-7"), world_b_);
  EXPECT_FALSE(fs::exists(gsc() / "starts"));
  expect_tidy();
}

TEST_F(RestoreFlowTest, GameThatStillRunsIsNotReplacedUnderItsFeet) {
  start(session(7));
  wait_session(7, "running");
  start(restoring(8));
  const SessionReport report = wait_session(8, "crashed");
  EXPECT_NE(report.error_message.find("session 7 of SGC 42 still runs here"), std::string::npos);
  EXPECT_EQ(tree(game()), world_b_);
}

TEST_F(RestoreFlowTest, KilledAtAnyPointItIsDoneOnceAfterTheNextStart) {
  int64_t id = 200;
  for (const std::string point :
       {"host.command.received", "host.command.journaled", "restore.staging_created",
        "restore.extracted", "restore.swap_journaled", "restore.swapped", "restore.replaced_kept",
        "session.starting", "session.launched", "session.reported"}) {
    SCOPED_TRACE(point);
    make_world("B");
    fs::remove(gsc() / "starts");
    const StartSessionCommand command = restoring(++id);
    crash_at(point, "session.start", command.to_json());
    const Tree live = tree(game());
    EXPECT_TRUE(live == world_a_ || live == world_b_) << "neither wholly old nor wholly new";
    restart_host();
    start(command);
    EXPECT_EQ(wait_session(id, "running").replaced_data, "kept");
    EXPECT_EQ(tree(game()), world_a_);
    EXPECT_EQ(tree(gsc() / ("replaced-" + std::to_string(id))), world_b_);
    send(this->command(SessionCommand::Kind::kStop, id));
    wait_session(id, "stopped");
    EXPECT_EQ(read(gsc() / "starts"), "started\n") << "not started once";
    expect_tidy();
  }
}

TEST_F(RestoreFlowTest, UndoPutsTheReplacedWorldBack) {
  start(restoring(7));
  wait_session(7, "running");
  send(command(SessionCommand::Kind::kUndoRestore, 7));
  EXPECT_NE(wait_replaced(7, "kept").error_message.find("session 7 of SGC 42 runs here"),
            std::string::npos);
  send(command(SessionCommand::Kind::kStop, 7));
  wait_session(7, "stopped");
  wait_journal_empty();
  world_->forget_reports();
  send(command(SessionCommand::Kind::kUndoRestore, 7));
  wait_replaced(7, "undone");
  EXPECT_EQ(tree(game()), world_b_);
  EXPECT_TRUE(eventually([&] { return names("replaced-").empty() && names(".trash-").empty(); }));
  // The same command once more is answered, and changes nothing.
  wait_journal_empty();
  world_->forget_reports();
  send(command(SessionCommand::Kind::kUndoRestore, 7));
  wait_replaced(7, "undone");
  EXPECT_EQ(tree(game()), world_b_);
}

TEST_F(RestoreFlowTest, UndoOfWhatIsNotThereSaysSo) {
  send(command(SessionCommand::Kind::kUndoRestore, 7));
  EXPECT_NE(wait_replaced(7, "removed").error_message.find("replaced-7"), std::string::npos);
  EXPECT_EQ(tree(game()), world_b_);
}

TEST_F(RestoreFlowTest, UndoKilledAtAnyPointIsDoneOnceAfterTheNextStart) {
  int64_t id = 300;
  for (const std::string point : {"undo.journaled", "undo.swapped"}) {
    SCOPED_TRACE(point);
    make_world("B");
    start(restoring(++id));
    wait_session(id, "running");
    send(command(SessionCommand::Kind::kStop, id));
    wait_session(id, "stopped");
    wait_journal_empty();
    const SessionCommand undo = command(SessionCommand::Kind::kUndoRestore, id);
    crash_at(point, "session.undo_restore", undo.to_json());
    restart_host();
    send(undo);
    wait_replaced(id, "undone");
    EXPECT_EQ(tree(game()), world_b_);
    EXPECT_TRUE(eventually([&] { return names("replaced-").empty() && names(".trash-").empty(); }));
  }
}

TEST_F(RestoreFlowTest, ReplacedDataGoesWhenItsTimeIsUp) {
  start(restoring(7));
  wait_session(7, "running");
  restart_host();
  wait_session(7, "running");
  EXPECT_EQ(tree(gsc() / "replaced-7"), world_b_) << "its time is not up";
  world_->stop();
  world_->forget_reports();
  write(gsc() / "replaced-7.since", "1000\n");
  start_host();
  wait_replaced(7, "removed");
  EXPECT_TRUE(eventually([&] { return names("replaced-").empty() && names(".trash-").empty(); }));
  EXPECT_EQ(tree(game()), world_a_);
}

TEST_F(RestoreFlowTest, StartSweepsOnlyWhatACrashLeft) {
  world_->stop();
  write(gsc() / "restore-9/game/x", "x");
  write(gsc() / ".trash-9/x", "x");
  write(gsc() / "replaced-9/x", "x");
  write(gsc() / "notes", "x");
  write(gsc() / "restore-mine/x", "x");
  start_host();
  EXPECT_TRUE(eventually([&] { return names("restore-9").empty() && names(".trash-").empty(); }));
  EXPECT_TRUE(fs::exists(gsc() / "replaced-9/x"));
  EXPECT_TRUE(fs::exists(gsc() / "notes"));
  EXPECT_TRUE(fs::exists(gsc() / "restore-mine/x"));
  EXPECT_EQ(tree(game()), world_b_);
}

}  // namespace
}  // namespace manman::host
