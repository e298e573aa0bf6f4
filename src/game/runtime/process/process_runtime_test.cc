#include "game/runtime/process/process_runtime.h"

#include <gtest/gtest.h>

#include <thread>

#include "base/file.h"
#include "game/runtime/process/game_fixture_for_tests.h"

namespace manman {
namespace {

namespace fs = std::filesystem;
using Kind = GameState::Kind;
using std::chrono::milliseconds;

class ProcessRuntimeTest : public GameTest {};

TEST_F(ProcessRuntimeTest, RunsAProgramToItsEnd) {
  const GameInstance game = shell("echo hello; echo oops >&2; exit 7");
  const GameState end = wait(game);
  EXPECT_EQ(end.kind, Kind::kExited);
  EXPECT_EQ(end.exit_code, 7);
  EXPECT_EQ(end.signal, 0);
  EXPECT_EQ(output(game), "hello\noops\n");
  EXPECT_EQ(runtime_->output_size(game), 11U);
  EXPECT_EQ(state(game), Kind::kExited);
}

TEST_F(ProcessRuntimeTest, TellsASignalFromAnExitCode) {
  const GameState end = wait(shell("kill -ABRT $$"));
  EXPECT_EQ(end.kind, Kind::kExited);
  EXPECT_EQ(end.signal, SIGABRT);
  EXPECT_EQ(end.exit_code, 128 + SIGABRT);
}

TEST_F(ProcessRuntimeTest, RunsInTheGamesFolderWithOnlyItsEnvironment) {
  ::setenv("MANMAN_TEST_SECRET", "do not leak", 1);
  const GameInstance game = instance();
  ASSERT_TRUE(start(game, {"sh", "-c", "pwd -P; env; ls /proc/self/fd; touch here"},
                    {{"WORLD", "a b"}, {"HOME", "/nowhere"}}));
  EXPECT_EQ(wait(game).exit_code, 0);
  ::unsetenv("MANMAN_TEST_SECRET");
  const std::string text = output(game);
  EXPECT_TRUE(text.starts_with(fs::canonical(game_dir()).string() + "\n")) << text;
  EXPECT_NE(text.find("\nWORLD=a b\n"), std::string::npos) << text;
  EXPECT_NE(text.find("\nHOME=/nowhere\n"), std::string::npos) << text;
  EXPECT_NE(text.find("\nPATH="), std::string::npos) << text;
  EXPECT_EQ(text.find("SECRET"), std::string::npos) << text;
  EXPECT_TRUE(text.ends_with("\n0\n1\n2\n3\n"))
      << "ls has 3 itself; no other may be open: " << text;
  EXPECT_TRUE(fs::exists(game_dir() / "here"));
}

TEST_F(ProcessRuntimeTest, FindsAProgramInTheGamesFolderOrItsPath) {
  fs::create_directories(game_dir() / "bin");
  ASSERT_TRUE(write_file_durably(game_dir() / "bin/server", "#!/bin/sh\necho served\n"));
  fs::permissions(game_dir() / "bin/server", fs::perms::owner_all);
  const GameInstance by_slash = instance(1);
  ASSERT_TRUE(start(by_slash, {"./bin/server"}));
  EXPECT_EQ(wait(by_slash).exit_code, 0);
  EXPECT_EQ(output(by_slash), "served\n");
  const GameInstance by_path = instance(2);
  ASSERT_TRUE(start(by_path, {"server"}, {{"PATH", (game_dir() / "bin").string()}}));
  EXPECT_EQ(wait(by_path).exit_code, 0);
}

TEST_F(ProcessRuntimeTest, SendsInputAndNeverItsEnd) {
  const GameInstance game = shell("cat");
  ASSERT_TRUE(runtime_->send_input(game, "say hi\n"));
  EXPECT_EQ(wait_for_output(game, "hi\n"), "say hi\n");
  ASSERT_TRUE(runtime_->send_input(game, "again\n"));
  EXPECT_EQ(wait_for_output(game, "again\n"), "say hi\nagain\n");
  EXPECT_EQ(state(game), Kind::kRunning);
}

TEST_F(ProcessRuntimeTest, SendsMoreThanAPipeHolds) {
  const GameInstance game = shell("head -c 300000 | wc -c");
  ASSERT_TRUE(runtime_->send_input(game, std::string(300000, 'x')));
  EXPECT_EQ(wait(game).exit_code, 0);
  EXPECT_EQ(output(game), "300000\n");
}

TEST_F(ProcessRuntimeTest, AGameThatDoesNotReadIsUnavailable) {
  const GameInstance game = shell("exec sleep 1000");
  const auto sent = runtime_->send_input(game, std::string(100000, 'x'));
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().code, Code::kUnavailable);
  EXPECT_NE(sent.error().message.find("65536 of 100000 bytes"), std::string::npos)
      << sent.error().message;
}

TEST_F(ProcessRuntimeTest, TerminatesWithSigterm) {
  const GameInstance game =
      shell("trap 'echo saved; exit 3' TERM; echo up; while :; do read x; done");
  ASSERT_NE(wait_for_output(game, "up"), "");
  ASSERT_TRUE(runtime_->terminate(game));
  const GameState end = wait(game);
  EXPECT_EQ(end.exit_code, 3);
  EXPECT_EQ(output(game), "up\nsaved\n");
}

TEST_F(ProcessRuntimeTest, KillsAGameThatIgnoresSigterm) {
  const GameInstance game = shell("trap '' TERM; echo up; while :; do read x; done");
  ASSERT_NE(wait_for_output(game, "up"), "");
  ASSERT_TRUE(runtime_->terminate(game));
  const auto still = runtime_->wait(game, milliseconds(50));
  ASSERT_TRUE(still);
  EXPECT_EQ(still->kind, Kind::kRunning);
  ASSERT_TRUE(runtime_->kill(game));
  const GameState end = wait(game);
  EXPECT_EQ(end.signal, SIGKILL);
  EXPECT_EQ(end.exit_code, 137);
}

TEST_F(ProcessRuntimeTest, AnUnknownProgramIsNamedAndLeavesNothing) {
  const GameInstance game = instance();
  const auto started = start(game, {"no-such-server", "--port", "1"});
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, Code::kFailedPrecondition);
  EXPECT_NE(started.error().message.find("no-such-server"), std::string::npos)
      << started.error().message;
  EXPECT_NE(started.error().message.find("No such file"), std::string::npos);
  EXPECT_EQ(state(game), Kind::kNever);
  EXPECT_FALSE(fs::exists(files_of(game).dir));
  ASSERT_TRUE(start(game, {"true"})) << "the same session with a program that is there";
  EXPECT_EQ(wait(game).exit_code, 0);
}

TEST_F(ProcessRuntimeTest, AProgramThatMayNotBeExecutedIsNamed) {
  fs::create_directories(game_dir());
  ASSERT_TRUE(write_file_durably(game_dir() / "server", "#!/bin/sh\n"));
  const auto started = start(instance(), {"./server"});
  ASSERT_FALSE(started);
  EXPECT_NE(started.error().message.find("./server"), std::string::npos);
  EXPECT_NE(started.error().message.find("Permission denied"), std::string::npos)
      << started.error().message;
}

TEST_F(ProcessRuntimeTest, RefusesWhatCannotBeRun) {
  const GameInstance game = instance();
  const auto refused = [&](const GameProgram& program, const char* named) {
    const auto started = runtime_->start(game, program);
    ASSERT_FALSE(started) << named;
    EXPECT_EQ(started.error().code, Code::kInvalidArgument);
    EXPECT_NE(started.error().message.find(named), std::string::npos) << started.error().message;
  };
  refused({.image = "itzg/minecraft", .argv = {"x"}}, "itzg/minecraft");
  refused({.argv = {}}, "no program");
  refused({.argv = {""}}, "no program");
  refused({.argv = {"sh", std::string("a\0b", 3)}}, "NUL");
  refused({.argv = {"sh"}, .env = {{"A=B", "x"}}}, "A=B");
  refused({.argv = {"sh"}, .env = {{"", "x"}}}, "bad name");
  refused({.argv = {"sh"}, .env = {{"A", std::string("\0", 1)}}}, "A holds a NUL");
  EXPECT_FALSE(fs::exists(game.gsc_dir));
  refused({.argv = {"sh", "\xff\xfe"}}, "UTF-8");
  EXPECT_EQ(state(game), Kind::kNever);
}

TEST_F(ProcessRuntimeTest, AMissingWrapperIsNamed) {
  const auto runtime = make_process_runtime(dir_ / "gone");
  const auto started = runtime->start(instance(), {.argv = {"true"}});
  ASSERT_FALSE(started);
  EXPECT_NE(started.error().message.find((dir_ / "gone").string()), std::string::npos);
}

TEST_F(ProcessRuntimeTest, AnInstanceIsStartedOnlyOnce) {
  const GameInstance game = shell("read x");
  EXPECT_EQ(start(game, {"true"}).error().code, Code::kAlreadyExists);
  EXPECT_EQ(state(game), Kind::kRunning) << "the first is not disturbed";
  ASSERT_TRUE(runtime_->send_input(game, "\n"));
  EXPECT_EQ(wait(game).exit_code, 0);
  EXPECT_EQ(start(game, {"true"}).error().code, Code::kAlreadyExists);
}

TEST_F(ProcessRuntimeTest, AnEndedGameTakesNoInputAndNoSignals) {
  const GameInstance game = shell("exit 0");
  wait(game);
  EXPECT_EQ(runtime_->send_input(game, "x").error().code, Code::kFailedPrecondition);
  EXPECT_TRUE(runtime_->terminate(game));
  EXPECT_TRUE(runtime_->kill(game));
  const GameInstance never = instance(99);
  EXPECT_EQ(state(never), Kind::kNever);
  EXPECT_EQ(runtime_->send_input(never, "x").error().code, Code::kFailedPrecondition);
  EXPECT_TRUE(runtime_->kill(never));
  EXPECT_EQ(runtime_->output_size(never).error().code, Code::kNotFound);
}

TEST_F(ProcessRuntimeTest, ForgetsOnlyAnEndedGame) {
  const GameInstance game = shell("read x");
  EXPECT_EQ(runtime_->forget(game).error().code, Code::kFailedPrecondition);
  ASSERT_TRUE(runtime_->send_input(game, "\n"));
  wait(game);
  ASSERT_TRUE(runtime_->forget(game));
  EXPECT_FALSE(fs::exists(files_of(game).dir));
  EXPECT_TRUE(fs::exists(game_dir())) << "save data is not the runtime's to remove";
  EXPECT_EQ(state(game), Kind::kNever);
  EXPECT_TRUE(runtime_->forget(game));
  EXPECT_TRUE(runtime_->forget({1, 2, dir_ / "never-was"}));
}

TEST_F(ProcessRuntimeTest, SecretsOfTheConfigAreForTheOwnerOnly) {
  const GameInstance game = instance();
  ASSERT_TRUE(start(game, {"true"}, {{"RCON_PASSWORD", "x"}}));
  wait(game);
  const auto others = fs::perms::group_all | fs::perms::others_all;
  EXPECT_EQ(fs::status(files_of(game).dir).permissions() & others, fs::perms::none);
  EXPECT_EQ(fs::status(files_of(game).spec()).permissions() & others, fs::perms::none);
}

TEST_F(ProcessRuntimeTest, StartsManyAtOnce) {
  std::vector<GameInstance> games;
  for (int64_t id = 1; id <= 8; id++) games.push_back(instance(id));
  {
    std::vector<std::jthread> threads;
    for (const GameInstance& game : games)
      threads.emplace_back([&] {
        const auto started = start(game, {"sh", "-c", "exit " + std::to_string(game.session_id)});
        EXPECT_TRUE(started) << started.error().message;
      });
  }
  for (const GameInstance& game : games) EXPECT_EQ(wait(game).exit_code, game.session_id);
}

TEST_F(ProcessRuntimeTest, ReadsOutputFromAnOffset) {
  const GameInstance game = shell("printf 0123456789");
  wait(game);
  std::string part(4, '\0');
  const auto bytes = std::as_writable_bytes(std::span(part));
  EXPECT_EQ(runtime_->read_output(game, 3, bytes), 4U);
  EXPECT_EQ(part, "3456");
  EXPECT_EQ(runtime_->read_output(game, 8, bytes), 2U);
  EXPECT_EQ(runtime_->read_output(game, 10, bytes), 0U);
  EXPECT_EQ(runtime_->read_output(game, 1000, bytes), 0U);
}

}  // namespace
}  // namespace manman
