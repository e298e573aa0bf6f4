#include "game/runtime/process/seclusion.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "base/file.h"
#include "base/retry.h"
#include "game/runtime/process/game_fixture_for_tests.h"

namespace manman {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

// A game that runs apart in {dir}/drills/drill-1/, in the place of {dir}/gsc-test-7/, beside
// another GSC.
class SeclusionTest : public GameTest {
 protected:
  SeclusionTest() : game_{-1, 7, dir_ / "drills/drill-1"}, live_(dir_ / "gsc-test-7") {
    write(live_ / "game/world", "live");
    write(dir_ / "gsc-test-8/game/world", "another");
    write(game_.gsc_dir / "game/world", "copy");
  }
  void TearDown() override {
    EXPECT_TRUE(runtime_->kill(game_));
    EXPECT_NE(wait(game_).kind, GameState::Kind::kRunning);
    GameTest::TearDown();
  }

  static void write(const fs::path& file, const std::string& text) {
    fs::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }
  static std::string read(const fs::path& file) { return read_file(file).value_or("none"); }
  Apart apart() const { return {.read_only = {dir_}, .stands_for = live_}; }
  // Once it holds something.
  static std::string wait_for_file(const fs::path& file) {
    const auto deadline = std::chrono::steady_clock::now() + kLong;
    std::string text = read_file(file).value_or("");
    while (!text.ends_with('\n') && std::chrono::steady_clock::now() < deadline) {
      sleep_unless(std::chrono::milliseconds(5), {});
      text = read_file(file).value_or("");
    }
    return text.substr(0, text.find('\n'));
  }
  std::string run(const std::string& script) {
    const auto started =
        runtime_->start(game_, {.image = "", .argv = {"sh", "-c", script}, .apart = apart()});
    EXPECT_TRUE(started) << started.error().message;
    wait(game_);
    return output(game_);
  }

  const GameInstance game_;
  const fs::path live_;
};

TEST_F(SeclusionTest, WritesToNothingButItsCopyWhateverThePath) {
  const std::string said =
      run("cat world; cat " + (live_ / "game/world").string() + "; echo new > " +
          (live_ / "game/world").string() + "; echo new > " +
          (dir_ / "gsc-test-8/game/world").string() + "; cat world; echo beside > ../beside");
  EXPECT_THAT(said, HasSubstr("copycopy"));
  EXPECT_THAT(said, HasSubstr("Read-only file system"));
  EXPECT_THAT(said, HasSubstr("new\n"));
  EXPECT_EQ(read(live_ / "game/world"), "live");
  EXPECT_EQ(read(dir_ / "gsc-test-8/game/world"), "another");
  EXPECT_EQ(read(game_.gsc_dir / "game/world"), "new\n");
  EXPECT_EQ(read(game_.gsc_dir / "beside"), "beside\n");
}

TEST_F(SeclusionTest, HasNoNetworkButALoopbackAndSharesNoMemory) {
  const std::string said = run("tail -n +3 /proc/net/dev; ls -A /dev/shm; echo end");
  EXPECT_THAT(said, HasSubstr("lo:"));
  EXPECT_EQ(std::ranges::count(said, ':'), 1) << said;
  EXPECT_THAT(said, testing::EndsWith("\nend\n"));
}

TEST_F(SeclusionTest, SeesNoProcessButItsOwn) {
  const GameInstance live = shell("echo $$ > pid; while :; do sleep 0.05; done");
  const std::string pid = wait_for_file(game_dir() / "pid");
  const std::string said = run("kill -9 " + pid + "; kill -9 -1; ls -d /proc/[0-9]* | wc -l");
  EXPECT_THAT(said, HasSubstr("No such process"));
  EXPECT_EQ(state(live), GameState::Kind::kRunning);
}

TEST_F(SeclusionTest, EndsAsItsLeadingProcessDoesAndWithAllOfIt) {
  run("(trap '' TERM; while :; do sleep 0.05; done) & exit 7");
  EXPECT_EQ(wait(game_).exit_code, 7);
  const GameInstance second{-2, 7, game_.gsc_dir};
  ASSERT_TRUE(runtime_->start(
      second, {.image = "",
               .argv = {"sh", "-c",
                        "trap 'echo told; exit 4' TERM; echo up; while :; do sleep 0.05; "
                        "done"},
               .apart = apart()}));
  wait_for_output(second, "up");
  ASSERT_TRUE(runtime_->terminate(second));
  EXPECT_EQ(wait(second).exit_code, 4);
  EXPECT_THAT(output(second), HasSubstr("told"));
}

TEST_F(SeclusionTest, IsKilledWithAllOfIt) {
  const auto started = runtime_->start(
      game_,
      {.image = "",
       .argv = {"sh", "-c", "(setsid sh -c 'echo deep; while :; do sleep 0.05; done') & wait"},
       .apart = apart()});
  ASSERT_TRUE(started) << started.error().message;
  wait_for_output(game_, "deep");
  ASSERT_TRUE(runtime_->kill(game_));
  EXPECT_EQ(wait(game_).kind, GameState::Kind::kExited);
  EXPECT_EQ(wait(game_).exit_code, 137);
}

TEST_F(SeclusionTest, AProgramThatIsNotThereIsStillNamed) {
  const auto started =
      runtime_->start(game_, {.image = "", .argv = {"./nothing"}, .apart = apart()});
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, Code::kFailedPrecondition);
  EXPECT_THAT(started.error().message, HasSubstr("the game of drill 1: run ./nothing"));
}

TEST_F(SeclusionTest, WhatCannotBeMountedIsAnErrorAndNothingRuns) {
  Apart impossible = apart();
  impossible.stands_for = live_ / "game/world";  // no folder
  const auto started = runtime_->start(
      game_, {.image = "", .argv = {"sh", "-c", "echo up > world"}, .apart = impossible});
  ASSERT_FALSE(started);
  EXPECT_THAT(started.error().message, HasSubstr("can't be kept apart"));
  EXPECT_EQ(read(game_.gsc_dir / "game/world"), "copy");
}

// In a process that has to make a user namespace for it.
TEST_F(SeclusionTest, NeedsNoPrivileges) {
#ifdef __SANITIZE_THREAD__
  GTEST_SKIP() << "ThreadSanitizer has a thread of its own, and who has several can make no user "
                  "namespace";
#endif
  constexpr uid_t kNobody = 65534;
  for (const fs::path& path : {dir_, game_.gsc_dir, game_.gsc_dir / "game"})
    ::chmod(path.c_str(), 0777);
  const pid_t child = ::fork();
  if (child == 0) {
    if (::geteuid() == 0 && (::setgid(kNobody) != 0 || ::setuid(kNobody) != 0)) ::_exit(9);
    ::prctl(PR_SET_DUMPABLE, 1);  // as after an execve
    const auto secluded = process::seclude(apart(), game_.gsc_dir);
    if (!secluded) {
      std::fprintf(stderr, "%s\n", secluded.error().message.c_str());
      ::_exit(1);
    }
    std::ofstream(live_ / "game/by-nobody") << "x";
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(2000);
    address.sin_addr.s_addr = ::inet_addr("127.0.0.1");
    const int listening = ::socket(AF_INET, SOCK_STREAM, 0);
    const bool binds =
        ::bind(listening, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 &&
        ::listen(listening, 1) == 0;
    const int calling = ::socket(AF_INET, SOCK_STREAM, 0);
    const bool calls =
        ::connect(calling, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    ::_exit(binds && calls ? 0 : 2);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), 0) << "where users may make no namespaces it is 1";
  EXPECT_EQ(read(game_.gsc_dir / "game/by-nobody"), "x");
  EXPECT_FALSE(fs::exists(live_ / "game/by-nobody"));
}

}  // namespace
}  // namespace manman
