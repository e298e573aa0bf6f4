#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <chrono>
#include <csignal>
#include <thread>

#include "base/file.h"
#include "game/runtime/process/game_fixture_for_tests.h"
#include "game/runtime/process/proc.h"
#include "game/runtime/process/wrapper_protocol.h"

// Games outlive manman; what outlives the game is ended; and no signal reaches a stranger.
namespace manman {
namespace {

namespace fs = std::filesystem;
using Kind = GameState::Kind;

class SurvivalTest : public GameTest {
 protected:
  process::Running running(const GameInstance& game) {
    const auto read = process::read_running(files_of(game));
    EXPECT_TRUE(read && *read);
    return read && *read ? **read : process::Running{};
  }
  // The process that the game printed as "NAME=pid".
  process::Identity printed(const GameInstance& game, const std::string& name) {
    const std::string text = wait_for_output(game, name + "=");
    const size_t at = text.find(name + "=");
    if (at == std::string::npos) {
      ADD_FAILURE() << name << " not in " << text;
      return {};
    }
    const auto status = process::status_of(std::stoi(text.substr(at + name.size() + 1)));
    EXPECT_TRUE(status) << name;
    return status ? status->identity : process::Identity{};
  }
  static void wait_for_end(const process::Identity& process) {
    const auto fd = process::open_process(process);
    if (!fd) return;
    pollfd waiting{fd->get(), POLLIN, 0};
    EXPECT_EQ(::poll(&waiting, 1, 20000), 1);
  }
  // Runs a manman that starts the script as a game and is killed.
  GameInstance start_and_die(const std::string& script) {
    const GameInstance game = instance();
    const pid_t child = ::fork();
    if (child == 0) {
      ::execl("/proc/self/exe", "game_test", "start-and-die", game.gsc_dir.c_str(), "1",
              script.c_str(), nullptr);
      ::_exit(1);
    }
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    return game;
  }
};

TEST_F(SurvivalTest, AnotherManmanAdoptsAGame) {
  const GameInstance game = start_and_die("read line; echo got $line; exit 5");
  EXPECT_EQ(state(game), Kind::kRunning);
  EXPECT_EQ(start(game, {"true"}).error().code, Code::kAlreadyExists);
  ASSERT_TRUE(runtime_->send_input(game, "hello\n"));
  EXPECT_EQ(wait(game).exit_code, 5);
  EXPECT_EQ(output(game), "got hello\n");
}

TEST_F(SurvivalTest, AGameEndsWhileNoManmanRuns) {
  const GameInstance game = start_and_die("exit 6");
  EXPECT_EQ(wait(game).exit_code, 6);
}

TEST_F(SurvivalTest, SignalsThatEndManmanDoNotReachTheWrapper) {
  const GameInstance game = shell("read x; exit 4");
  for (const int signal : {SIGTERM, SIGINT, SIGHUP})
    ASSERT_EQ(::kill(running(game).wrapper.pid, signal), 0);
  EXPECT_EQ(state(game), Kind::kRunning);
  ASSERT_TRUE(runtime_->send_input(game, "\n"));
  EXPECT_EQ(wait(game).exit_code, 4);
}

TEST_F(SurvivalTest, AGameWhoseWrapperWasKilledRunsOn) {
  const GameInstance game = shell("while read x; do echo got $x; [ $x = end ] && exit 0; done");
  const process::Running ids = running(game);
  ASSERT_EQ(::kill(ids.wrapper.pid, SIGKILL), 0);
  wait_for_end(ids.wrapper);
  EXPECT_EQ(state(game), Kind::kRunning);
  EXPECT_EQ(start(game, {"true"}).error().code, Code::kAlreadyExists);
  ASSERT_TRUE(runtime_->send_input(game, "more\n"));
  EXPECT_NE(wait_for_output(game, "got more"), "");
  ASSERT_TRUE(runtime_->send_input(game, "end\n"));
  EXPECT_EQ(wait(game).kind, Kind::kGone) << "nobody wrote down how it ended";
  EXPECT_EQ(output(game), "got more\ngot end\n");
}

TEST_F(SurvivalTest, AGameWhoseWrapperWasKilledCanBeKilledWhole) {
  const GameInstance game =
      shell("sleep 1000 & echo child=$!; trap '' TERM; while :; do read x; done");
  const process::Identity child = printed(game, "child");
  const process::Running ids = running(game);
  ASSERT_EQ(::kill(ids.wrapper.pid, SIGKILL), 0);
  wait_for_end(ids.wrapper);
  ASSERT_EQ(::kill(ids.game.pid, SIGKILL), 0);
  wait_for_end(ids.game);
  EXPECT_EQ(state(game), Kind::kRunning) << "a process of the game may still write to its data";
  ASSERT_TRUE(runtime_->kill(game));
  EXPECT_EQ(wait(game).kind, Kind::kGone);
  EXPECT_FALSE(process::is_alive(child));
}

TEST_F(SurvivalTest, WhatAGameLeavesBehindEndsWithIt) {
  const GameInstance game = shell(
      "sleep 1000 & echo child=$!; setsid sh -c 'echo daemon=$$; exec sleep 1000' & read x; exit "
      "9");
  const process::Identity child = printed(game, "child");
  const process::Identity daemon = printed(game, "daemon");
  ASSERT_TRUE(runtime_->send_input(game, "\n"));
  EXPECT_EQ(wait(game).exit_code, 9);
  EXPECT_FALSE(process::is_alive(child));
  EXPECT_FALSE(process::is_alive(daemon));
}

// A start script ends at once at SIGTERM; the server that it runs is saving its world then.
TEST_F(SurvivalTest, AServerBehindAScriptMaySaveBeforeItEnds) {
  const GameInstance game = shell(
      "sh -c 'trap \"echo saving; sleep 0.3; echo saved; exit\" TERM; echo up; "
      "while :; do sleep 0.01; done'; true");
  ASSERT_NE(wait_for_output(game, "up"), "");
  ASSERT_TRUE(runtime_->terminate(game));
  EXPECT_EQ(wait(game).signal, SIGTERM);
  EXPECT_TRUE(output(game).ends_with("saving\nsaved\n")) << output(game);
}

TEST_F(SurvivalTest, KillEndsAllProcessesOfAGame) {
  const GameInstance game = shell(
      "sleep 1000 & echo child=$!; setsid sh -c 'trap \"\" TERM; echo daemon=$$; read x' & read x");
  const process::Identity child = printed(game, "child");
  const process::Identity daemon = printed(game, "daemon");
  const auto before = std::chrono::steady_clock::now();
  ASSERT_TRUE(runtime_->kill(game));
  EXPECT_EQ(wait(game).signal, SIGKILL);
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(10))
      << "no grace after a kill";
  EXPECT_FALSE(process::is_alive(child));
  EXPECT_FALSE(process::is_alive(daemon));
}

TEST_F(SurvivalTest, AStartThatWasCutOffIsStartedAgain) {
  const GameInstance game = instance();
  const auto files = files_of(game);
  fs::create_directories(files.dir);
  ASSERT_TRUE(write_record(files, process::Spec{{"touch", "wrong"}, {}}));
  ASSERT_EQ(::mkfifo(files.input().c_str(), 0600), 0);
  ASSERT_TRUE(write_file_durably(files.output(), "old output\n"));
  ASSERT_TRUE(process::open_lock(files)) << "made, not held";
  // The wrapper goes on as a process of its own, which may end a moment after the one waited for.
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (state(game) != Kind::kNever && std::chrono::steady_clock::now() < deadline)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  EXPECT_EQ(state(game), Kind::kNever);
  ASSERT_TRUE(start(game, {"echo", "right"}));
  EXPECT_EQ(wait(game).exit_code, 0);
  EXPECT_EQ(output(game), "right\n");
}

// manman is killed after it spawned the wrapper: the game does not run behind its back.
TEST_F(SurvivalTest, AWrapperWithoutAStarterStartsNothing) {
  const GameInstance game = instance();
  const auto files = files_of(game);
  fs::create_directories(files.dir);
  fs::create_directories(game_dir());
  ASSERT_TRUE(write_record(files, process::Spec{{"/bin/touch", "behind"}, {}}));
  ASSERT_EQ(::mkfifo(files.input().c_str(), 0600), 0);
  auto lock = process::open_lock(files);
  ASSERT_TRUE(lock && process::try_lock(*lock).value());
  int pipe[2];
  ASSERT_EQ(::pipe2(pipe, O_CLOEXEC), 0);
  const UniqueFd writing(::fcntl(pipe[1], F_DUPFD_CLOEXEC, 10));
  UniqueFd held(::fcntl(lock->get(), F_DUPFD_CLOEXEC, 10));
  ::close(pipe[0]);
  ::close(pipe[1]);
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(writing.get(), process::kAnswerFd);
    ::dup2(held.get(), process::kLockFd);
    ::execl("/proc/self/exe", "game_test", "game-wrapper", files.dir.c_str(), nullptr);
    ::_exit(1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  *lock = UniqueFd();
  held.reset();
  EXPECT_EQ(state(game), Kind::kNever);
  ASSERT_TRUE(start(game, {"echo", "right"}));
  EXPECT_EQ(wait(game).exit_code, 0);
  EXPECT_FALSE(fs::exists(game_dir() / "behind"));
}

TEST_F(SurvivalTest, AStrangerWithTheSamePidIsLeftAlone) {
  const GameInstance game = instance();
  fs::create_directories(files_of(game).dir);
  process::Identity stranger = process::status_of(::getpid())->identity;
  stranger.start_ticks--;
  ASSERT_TRUE(write_record(files_of(game),
                           process::Running{process::boot_id().value(), stranger, stranger}));
  EXPECT_EQ(state(game), Kind::kGone);
  EXPECT_TRUE(runtime_->kill(game));
  // And below the check of the state.
  EXPECT_TRUE(process::send_signal(stranger, SIGKILL));
  EXPECT_TRUE(process::send_group_signal(stranger, SIGKILL));
  EXPECT_EQ(start(game, {"true"}).error().code, Code::kAlreadyExists);
}

TEST_F(SurvivalTest, AfterABootOfTheMachineAGameIsGone) {
  const GameInstance game = instance();
  fs::create_directories(files_of(game).dir);
  const process::Identity self = process::status_of(::getpid())->identity;
  ASSERT_TRUE(write_record(files_of(game), process::Running{"another boot", self, self}));
  EXPECT_EQ(state(game), Kind::kGone);
  EXPECT_TRUE(runtime_->kill(game));
  EXPECT_EQ(runtime_->send_input(game, "x").error().code, Code::kFailedPrecondition);
}

TEST_F(SurvivalTest, DamagedFilesAreNamed) {
  const GameInstance game = instance();
  fs::create_directories(files_of(game).dir);
  ASSERT_TRUE(write_file_durably(files_of(game).state(), "{\"boot_id\": 5}"));
  const auto state = runtime_->state(game);
  ASSERT_FALSE(state);
  EXPECT_EQ(state.error().code, Code::kDataLoss);
  EXPECT_NE(state.error().message.find("state.json"), std::string::npos);
  fs::remove(files_of(game).state());
}

}  // namespace
}  // namespace manman
