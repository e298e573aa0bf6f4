#include <atomic>

#include "base/failpoint.h"
#include "base/file.h"
#include "host/host_fixture_for_tests.h"

namespace manman::host {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using Kind = SessionCommand::Kind;

class SessionTest : public HostTest {
 protected:
  void input(int64_t session_id, const std::string& text) {
    SendInputCommand command;
    command.session_id = session_id;
    command.sgc_id = kSgc;
    command.environment = "test";
    command.input = text;
    ASSERT_TRUE(world_->send("session.send_input", command.to_json()));
  }
  void wait_journal_only_of(int64_t session_id) {
    EXPECT_TRUE(eventually([&] {
      size_t records = 0;
      for (const auto& entry : fs::directory_iterator(dir_ / "data/journal"))
        records += entry.path().extension() == ".json" ? 1 : 0;
      return records == 1 &&
             fs::exists(dir_ / ("data/journal/session-" + std::to_string(session_id) + "-1.json"));
    }));
  }
  void run(int64_t session_id) {
    start(session(session_id));
    wait_session(session_id, "running");
  }
};

// Of a database that is gone: its end would be taken for this one's.
TEST_F(SessionTest, FolderOfAnotherSessionOfTheSameNumberIsNotTakenForThisOne) {
  start_host();
  fs::create_directories(gsc() / "session-7");
  start(session(7));
  const auto report = wait_session(7, "crashed");
  EXPECT_NE(report.error_message.find("another session 7"), std::string::npos);
  start(session(8));
  wait_session(8, "running");
}

TEST_F(SessionTest, FirstStartMakesTheGamesFolder) {
  start_host();
  run(7);
  EXPECT_TRUE(fs::is_directory(game()));
}

TEST_F(SessionTest, EndIsReportedAsItWas) {
  start_host();
  run(1);
  input(1, "exit 0\n");
  EXPECT_EQ(wait_session(1, "completed").exit_code, 0);
  run(2);
  input(2, "exit 3\n");
  const SessionReport three = wait_session(2, "crashed");
  EXPECT_EQ(three.exit_code, 3);
  EXPECT_EQ(three.error_message, "exit code 3");
  run(3);
  input(3, "abort\n");
  const SessionReport aborted = wait_session(3, "crashed");
  EXPECT_EQ(aborted.exit_code, 134);
  EXPECT_EQ(aborted.error_message, "killed by signal 6");
  wait_journal_empty();
}

TEST_F(SessionTest, ProgramThatCannotRunIsNamed) {
  start_host();
  StartSessionCommand command = session(7);
  command.launch.argv = {"no-such-game"};
  start(command);
  EXPECT_NE(wait_session(7, "crashed").error_message.find("no-such-game"), std::string::npos);
  wait_journal_empty();
}

TEST_F(SessionTest, StopSendsTheStopCommand) {
  start_host();
  run(7);
  send(command(Kind::kStop, 7));
  EXPECT_EQ(wait_session(7, "stopped").exit_code, 0);
  EXPECT_EQ(read(gsc() / "console"), "stop\n");
  wait_journal_empty();
}

TEST_F(SessionTest, StopWithoutACommandIsSigterm) {
  start_host();
  run(7);
  ASSERT_TRUE(eventually([&] { return read(gsc() / "starts") == "started\n"; }));
  input(7, "hello\n");  // from then on it has its trap
  ASSERT_TRUE(eventually([&] { return read(gsc() / "console") == "hello\n"; }));
  SessionCommand stop = command(Kind::kStop, 7);
  stop.launch.handling.stop_command = "";
  send(stop);
  wait_session(7, "stopped");
  EXPECT_EQ(read(gsc() / "console"), "hello\nterminated\n");
}

TEST_F(SessionTest, GameThatDoesNotEndInTimeIsKilled) {
  start_host();
  StartSessionCommand deaf = session(7);
  deaf.launch.argv = {"sh", "-c", "trap '' TERM; while :; do read x; done"};
  start(deaf);
  wait_session(7, "running");
  SessionCommand stop = command(Kind::kStop, 7);
  stop.launch.handling.stop_grace_seconds = 1;
  send(stop);
  EXPECT_EQ(wait_session(7, "stopped").exit_code, 137);
}

TEST_F(SessionTest, KillDoesNotWaitForAStopAtWork) {
  start_host();
  StartSessionCommand deaf = session(7);
  deaf.launch.argv = {"sh", "-c", "trap '' TERM; while :; do read x; done"};
  start(deaf);
  wait_session(7, "running");
  SessionCommand stop = command(Kind::kStop, 7);
  stop.launch.handling.stop_grace_seconds = 3600;
  send(stop);
  send(command(Kind::kKill, 7));
  EXPECT_EQ(wait_session(7, "stopped").exit_code, 137);
  wait_journal_empty();
}

TEST_F(SessionTest, KillEndsASessionThatOnlyWaitsToStart) {
  make_world("A");
  start_host();
  ASSERT_TRUE(failpoint::configure("backup.uploaded=delay:1500"));
  send(backup(5));  // holds the lane
  wait_backup(5, "running");
  start(session(7));
  send(command(Kind::kKill, 7));
  const SessionReport report = wait_session(7, "stopped");
  EXPECT_NE(report.error_message.find("before the game ran"), std::string::npos);
  EXPECT_FALSE(fs::exists(gsc() / "starts"));
}

TEST_F(SessionTest, StopOfWhatDoesNotRunReportsItsEnd) {
  start_host();
  run(7);
  input(7, "exit 3\n");
  wait_session(7, "crashed");
  wait_journal_empty();
  world_->forget_reports();
  send(command(Kind::kStop, 7));
  EXPECT_EQ(wait_session(7, "crashed").exit_code, 3);
  send(command(Kind::kStop, 8));
  EXPECT_EQ(wait_session(8, "stopped").error_message, "the game was not running");
  send(command(Kind::kKill, 9));
  wait_session(9, "stopped");
  wait_journal_empty();
}

TEST_F(SessionTest, StopAndStartOfOneServerKeepTheirOrder) {
  start_host();
  run(7);
  send(command(Kind::kStop, 7));
  start(session(8));
  wait_session(7, "stopped");
  wait_session(8, "running");
}

TEST_F(SessionTest, GameOutlivesTheHostAndIsAdopted) {
  start_host();
  run(7);
  restart_host();
  wait_session(7, "running");
  input(7, "exit 3\n");
  EXPECT_EQ(wait_session(7, "crashed").exit_code, 3);
  EXPECT_EQ(read(gsc() / "starts"), "started\n");
}

TEST_F(SessionTest, EndWhileNobodyWatchedIsReportedAtTheNextStart) {
  start_host();
  run(7);
  world_->stop();
  const GameInstance left{7, kSgc, gsc()};
  ASSERT_TRUE(world_->runtime->send_input(left, "exit 5\n"));
  ASSERT_EQ(world_->runtime->wait(left, kLong).value().kind, GameState::Kind::kExited);
  start_host();
  EXPECT_EQ(wait_session(7, "crashed").exit_code, 5);
}

TEST_F(SessionTest, StopThatTheHostsEndInterruptedGoesOn) {
  start_host();
  StartSessionCommand deaf = session(7);
  deaf.launch.argv = {"sh", "-c", "trap '' TERM; while :; do read x; done"};
  start(deaf);
  wait_session(7, "running");
  SessionCommand stop = command(Kind::kStop, 7);
  stop.launch.handling.stop_grace_seconds = 2;
  send(stop);
  restart_host();
  EXPECT_EQ(wait_session(7, "stopped").exit_code, 137);
  wait_journal_empty();
}

TEST_F(SessionTest, StopKilledBeforeItsReportIsAStopAllTheSame) {
  start_host();
  run(7);
  crash_at("session.stopped", "session.stop", command(Kind::kStop, 7).to_json());
  restart_host();
  wait_session(7, "stopped");
  wait_journal_empty();
}

TEST_F(SessionTest, GameThatTheJournalLostIsWatchedAndCanBeStopped) {
  start_host();
  run(7);
  world_->stop();
  world_->forget_reports();
  write(dir_ / "data/journal/session-7-1.json", "{ damaged");
  start_host();
  EXPECT_TRUE(fs::exists(dir_ / "data/journal/session-7-1.json.bad"));
  wait_session(7, "running");
  start(session(8));
  EXPECT_NE(wait_session(8, "crashed").error_message.find("session 7"), std::string::npos);
  send(command(Kind::kStop, 7));
  wait_session(7, "stopped");
}

TEST_F(SessionTest, SameStartTwiceStartsOnce) {
  start_host();
  run(7);
  start(session(7));
  send(command(Kind::kStop, 7));
  wait_session(7, "stopped");
  wait_journal_empty();
  world_->forget_reports();
  start(session(7));
  wait_session(7, "stopped");
  EXPECT_EQ(read(gsc() / "starts"), "started\n");
}

TEST_F(SessionTest, BadCommandsGoToTheDeadLettersAndStopNothing) {
  start_host();
  ASSERT_TRUE(world_->send("session.start", "not json"));
  ASSERT_TRUE(world_->send("session.start", R"({"command":"dance"})"));
  ASSERT_TRUE(world_->send("session.start", R"({"command":"start_session","session_id":7})"));
  StartSessionCommand outside = session(7);
  outside.launch.environment = "../../outside";
  ASSERT_TRUE(world_->send("session.start", outside.to_json()));
  const auto letters = world_->bus.dead_letters();
  ASSERT_EQ(letters.size(), 4U);
  EXPECT_NE(letters[1].reason.find("dance"), std::string::npos);
  EXPECT_NE(letters[2].reason.find("sgc_id"), std::string::npos);
  EXPECT_NE(letters[3].reason.find("environment"), std::string::npos);
  run(7);
}

TEST_F(SessionTest, CommandThatCannotBeJournaledComesAgain) {
  start_host();
  ASSERT_TRUE(failpoint::configure("host.command.received@1=error:disk full"));
  run(7);
}

TEST_F(SessionTest, OfEndedSessionsTheLatestAreKept) {
  start_host();
  for (const int64_t id : {1, 2, 3, 4}) {
    run(id);
    send(command(Kind::kStop, id));
    wait_session(id, "stopped");
  }
  run(5);
  wait_journal_only_of(5);
  world_->stop();
  HostConfig two = config();
  two.keep_sessions = 2;
  world_->start(two);
  EXPECT_TRUE(eventually([&] { return names("session-").size() == 3; }));
  for (const char* kept : {"session-3", "session-4", "session-5"})
    EXPECT_TRUE(fs::exists(gsc() / kept)) << kept;
  world_->stop();
  two.keep_sessions_for = std::chrono::hours(1);
  fs::last_write_time(gsc() / "session-3", fs::file_time_type::clock::now() - 2h);
  world_->start(two);
  EXPECT_TRUE(eventually([&] { return names("session-").size() == 2; }));
  EXPECT_FALSE(fs::exists(gsc() / "session-3"));
}

TEST_F(SessionTest, StartThatWasGivenUpWhileTheHostWasAwayIsNotCarriedOut) {
  StartSessionCommand given_up = session(7);
  given_up.lease_ms = 60000;
  crash_at("session.starting", "session.start", given_up.to_json());
  host_was_away_for(2min);
  restart_host();
  EXPECT_NE(wait_session(7, "crashed").error_message.find("not carried out"), std::string::npos);
  wait_journal_empty();
  EXPECT_FALSE(fs::exists(gsc() / "starts"));

  StartSessionCommand in_time = session(8);
  in_time.lease_ms = 60000;
  crash_at("session.starting", "session.start", in_time.to_json());
  host_was_away_for(30s);
  restart_host();
  wait_session(8, "running");
}

TEST_F(SessionTest, SaysThatItIsAlive) {
  start_host();
  EXPECT_TRUE(world_->wait_for(
      [](const Message& message) { return message.routing_key == "health.host.3"; }));
}

TEST_F(SessionTest, TwoHostsOnOneFolderAreRefused) {
  start_host();
  HostManager other(config(), *world_->runtime);
  const auto started = other.adopt();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, Code::kFailedPrecondition);
  EXPECT_NE(started.error().message.find((dir_ / "data").string()), std::string::npos);
}

}  // namespace
}  // namespace manman::host
