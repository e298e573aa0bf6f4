#include "game/quiesce/quiesce.h"

#include <gtest/gtest.h>

#include <atomic>

#include "base/file.h"
#include "game/runtime/process/game_fixture_for_tests.h"

namespace manman {
namespace {

using Kind = GameState::Kind;
using std::chrono::milliseconds;

// A console that writes down what it was told, and answers.
constexpr const char* kConsole = R"(
echo 'Saved the game'
while read -r line; do
  echo "$line" >> inputs
  case "$line" in
    save-off) echo 'Automatic saving is now disabled' ;;
    save-all*) printf 'Saved '; sleep 0.02; printf 'the game\r\n' ;;
    save-on) echo 'Automatic saving is now enabled' ;;
    stop) exit 0 ;;
    crash) exit 9 ;;
    rotate) : > ../session-1/output.log; echo 'rotated' ;;
    latin) printf '\344\344 \033[32mSaved the game\033[0m\n' ;;
    'save query') count=$((count + 1)); echo query $count
      if [ $count -ge 3 ]; then
        echo 'Data saved. Files are now ready to be copied.'; echo '[INFO] Bob: hello'
        echo 'My world/db/000050.ldb:2223, My world/level.dat:2209'
      else echo 'A previous save has not been completed.'; fi ;;
    flood) head -c 1000000 /dev/zero | tr '\0' x; echo; echo 'flood done' ;;
  esac
done
)";

class QuiesceTest : public GameTest {
 protected:
  void SetUp() override {
    game_ = shell(kConsole);
    wait_for_output(game_, "Saved the game");
  }
  // What the game was told by the time that it has ended.
  std::string inputs_after_stop() {
    EXPECT_TRUE(runtime_->send_input(game_, "stop\n"));
    EXPECT_EQ(wait(game_).kind, Kind::kExited);
    return read_file(game_dir() / "inputs").value_or("");
  }
  std::unique_ptr<Console> console() { return make_stdin_console(*runtime_, game_); }
  Result<Quiesced> run(std::vector<ConsoleStep> steps) {
    return quiesce(console(), {std::move(steps), {"save-on"}}, {});
  }
  GameInstance game_;
};

const ConsoleStep kSaveOff{"save-off", "saving is now disabled", kLong};
const ConsoleStep kSaveAll{"save-all flush", "Saved the (game|world)$", kLong};

TEST_F(QuiesceTest, WaitsForEachConfirmationAndResumes) {
  {
    const auto quiesced = run({kSaveOff, kSaveAll});
    ASSERT_TRUE(quiesced) << quiesced.error().message;
    EXPECT_TRUE(output(game_).ends_with("Automatic saving is now disabled\nSaved the game\r\n"));
  }
  EXPECT_EQ(inputs_after_stop(), "save-off\nsave-all flush\nsave-on\nstop\n");
}

TEST_F(QuiesceTest, ResumesOnce) {
  {
    auto quiesced = run({kSaveOff});
    ASSERT_TRUE(quiesced);
    EXPECT_TRUE(quiesced->resume());
    EXPECT_TRUE(quiesced->resume());
    const Quiesced moved = std::move(*quiesced);
  }
  EXPECT_EQ(inputs_after_stop(), "save-off\nsave-on\nstop\n");
}

TEST_F(QuiesceTest, AMovedOneResumesAtItsNewPlace) {
  {
    auto quiesced = run({kSaveOff});
    ASSERT_TRUE(quiesced);
    const Quiesced moved = std::move(*quiesced);
    quiesced = fail(Code::kUnknown, "gone");
    EXPECT_EQ(output(game_).find("now enabled"), std::string::npos) << "not before its end";
  }
  EXPECT_EQ(inputs_after_stop(), "save-off\nsave-on\nstop\n");
}

// The line stands in the output already, from before.
TEST_F(QuiesceTest, OnlyOutputAfterTheInputConfirms) {
  const auto quiesced = run({{"say nothing", "Saved the game", milliseconds(150)}});
  ASSERT_FALSE(quiesced);
  EXPECT_EQ(quiesced.error().code, Code::kDeadlineExceeded);
  const std::string& message = quiesced.error().message;
  EXPECT_NE(message.find("step 1 (\"say nothing\")"), std::string::npos) << message;
  EXPECT_NE(message.find("\"Saved the game\""), std::string::npos) << message;
  EXPECT_NE(message.find("0.150 s"), std::string::npos) << message;
  EXPECT_EQ(inputs_after_stop(), "say nothing\nsave-on\nstop\n") << "resumed at once";
}

TEST_F(QuiesceTest, AStepWithoutExpressionWaitsForNothing) {
  EXPECT_TRUE(run({{"say hello", "", kLong}, kSaveAll}));
  EXPECT_EQ(inputs_after_stop(), "say hello\nsave-all flush\nsave-on\nstop\n");
}

TEST_F(QuiesceTest, ABadExpressionIsToldBeforeAnythingIsSent) {
  const auto quiesced = run({kSaveOff, {"save-all", "Saved (", kLong}});
  ASSERT_FALSE(quiesced);
  EXPECT_EQ(quiesced.error().code, Code::kInvalidArgument);
  EXPECT_NE(quiesced.error().message.find("Saved ("), std::string::npos);
  EXPECT_EQ(inputs_after_stop(), "stop\n");
}

TEST_F(QuiesceTest, CancelsAtOnceAndResumes) {
  std::atomic<int> asked = 0;
  const auto quiesced =
      quiesce(console(), {{{"wait", "never", kLong}}, {"save-on"}}, [&] { return ++asked > 3; });
  ASSERT_FALSE(quiesced);
  EXPECT_EQ(quiesced.error().code, Code::kCancelled);
  EXPECT_EQ(inputs_after_stop(), "wait\nsave-on\nstop\n");
}

TEST_F(QuiesceTest, AGameThatEndsMeanwhileIsToldBeforeTheTimeout) {
  const auto quiesced = run({kSaveOff, {"crash", "never", std::chrono::hours(1)}});
  ASSERT_FALSE(quiesced);
  EXPECT_EQ(quiesced.error().code, Code::kFailedPrecondition);
  EXPECT_NE(quiesced.error().message.find("ended"), std::string::npos);
}

TEST_F(QuiesceTest, AGameThatDoesNotRunCannotBeQuiescedButResumed) {
  inputs_after_stop();
  EXPECT_EQ(run({kSaveOff}).error().code, Code::kFailedPrecondition);
  EXPECT_TRUE(resume_game(*console(), {"save-on"}));
}

TEST_F(QuiesceTest, ResumesAGameThatACrashLeftQuiesced) {
  ASSERT_TRUE(resume_game(*console(), {"save-on", "say back"}));
  EXPECT_EQ(inputs_after_stop(), "save-on\nsay back\nstop\n");
}

TEST_F(QuiesceTest, FollowsOutputThatIsRotatedInPlace) {
  EXPECT_TRUE(run({{"rotate", "^rotated$", kLong}, kSaveAll}));
}

TEST_F(QuiesceTest, MatchesBesideOtherEncodingsAndEscapes) {
  const auto quiesced = run({{"latin", "Saved the game", kLong}});
  EXPECT_TRUE(quiesced) << quiesced.error().message;
}

TEST_F(QuiesceTest, AFloodOfOutputHidesNoConfirmation) {
  const auto quiesced = run({{"flood", "^flood done$", kLong}});
  EXPECT_TRUE(quiesced) << quiesced.error().message;
}

// Minecraft Bedrock's manner.
TEST_F(QuiesceTest, RepeatsAStepUntilItIsConfirmedAndTakesTheListOfFiles) {
  const auto quiesced = run({{.input = "save query",
                              .confirm_regex = "ready to be copied",
                              .timeout = kLong,
                              .repeat = milliseconds(20),
                              .lists_files = true}});
  ASSERT_TRUE(quiesced) << quiesced.error().message;
  EXPECT_EQ(quiesced->file_list(), "My world/db/000050.ldb:2223, My world/level.dat:2209");
  EXPECT_NE(output(game_).find("query 3"), std::string::npos);
}

TEST_F(QuiesceTest, AListOfFilesThatDoesNotComeIsTold) {
  const auto quiesced = run({{.input = "save-off",
                              .confirm_regex = "now disabled",
                              .timeout = milliseconds(150),
                              .lists_files = true}});
  ASSERT_FALSE(quiesced);
  EXPECT_NE(quiesced.error().message.find("no list of files"), std::string::npos);
}

TEST_F(QuiesceTest, AGameThatHeldStillForTooLongGoesOn) {
  auto quiesced = quiesce(console(), {{kSaveOff}, {"save-on"}, milliseconds(100)}, {});
  ASSERT_TRUE(quiesced);
  EXPECT_NE(wait_for_output(game_, "now enabled").find("now enabled"), std::string::npos);
  const auto is_held = [&] { return quiesced->held(); };
  for (int i = 0; i < 1000 && is_held(); i++) (void)runtime_->wait(game_, milliseconds(5));
  EXPECT_FALSE(is_held());
  EXPECT_TRUE(quiesced->overran());
  EXPECT_GE(quiesced->pause(), milliseconds(100));
  EXPECT_TRUE(quiesced->resume());
  EXPECT_EQ(inputs_after_stop(), "save-off\nsave-on\nstop\n") << "resumed once";
}

TEST_F(QuiesceTest, OneThatIsResumedInTimeIsNotOver) {
  auto quiesced = quiesce(console(), {{kSaveOff}, {"save-on"}, kLong}, {});
  ASSERT_TRUE(quiesced);
  EXPECT_TRUE(quiesced->held());
  EXPECT_EQ(quiesced->unconfirmed(), "");
  EXPECT_TRUE(quiesced->resume());
  EXPECT_FALSE(quiesced->held());
  EXPECT_FALSE(quiesced->overran());
  EXPECT_LT(quiesced->pause(), kLong);
}

TEST_F(QuiesceTest, GoesOnWithoutAConfirmationWhereThatIsAllowed) {
  auto quiesced = quiesce(console(),
                          {.quiesce = {{"say nothing", "Saved the game", milliseconds(100)}},
                           .resume = {"save-on"},
                           .go_on_unconfirmed = true},
                          {});
  ASSERT_TRUE(quiesced) << quiesced.error().message;
  EXPECT_TRUE(quiesced->held());
  EXPECT_NE(quiesced->unconfirmed().find("say nothing"), std::string::npos);
}

TEST_F(QuiesceTest, ALastStepThatWaitsForNothingIsNotConfirmed) {
  const auto quiesced = run({kSaveOff, {"save-all flush", "", kLong}});
  ASSERT_TRUE(quiesced);
  EXPECT_NE(quiesced->unconfirmed(), "");
}

TEST_F(QuiesceTest, StepsThatWaitForNothingConfirmNothing) {
  const auto quiesced = run({{"save-off", "", kLong}});
  ASSERT_TRUE(quiesced);
  EXPECT_NE(quiesced->unconfirmed(), "");
}

class ResumeGuardTest : public QuiesceTest {
 protected:
  GuardedGame guarded(milliseconds limit) { return {game_, {"save-on", "say back"}, {}, limit}; }
  Result<ResumeGuard> start_guard(milliseconds limit) {
    return ResumeGuard::start({"/proc/self/exe", "resume-guard"}, guarded(limit));
  }
  void wait_for_input(const std::string& line) {
    const auto seen = [&] {
      return read_file(game_dir() / "inputs").value_or("").find(line) != std::string::npos;
    };
    for (int i = 0; i < 4000 && !seen(); i++) (void)runtime_->wait(game_, milliseconds(5));
    EXPECT_TRUE(seen()) << line;
  }
};

TEST_F(ResumeGuardTest, ResumesWhenItsStarterHasGone) {
  {
    const auto guard = start_guard(std::chrono::hours(1));
    ASSERT_TRUE(guard) << guard.error().message;
  }
  wait_for_input("say back");
  EXPECT_EQ(inputs_after_stop(), "save-on\nsay back\nstop\n");
}

TEST_F(ResumeGuardTest, ResumesAtTheLimit) {
  auto guard = start_guard(milliseconds(50));
  ASSERT_TRUE(guard);
  wait_for_input("say back");
  guard->dismiss();
}

TEST_F(ResumeGuardTest, DoesNothingOnceItIsDismissed) {
  auto guard = start_guard(std::chrono::hours(1));
  ASSERT_TRUE(guard);
  guard->dismiss();
  EXPECT_EQ(inputs_after_stop(), "stop\n");
}

TEST_F(ResumeGuardTest, AQuiescedGameThatResumesDismissesIt) {
  {
    auto guard = start_guard(std::chrono::hours(1));
    ASSERT_TRUE(guard);
    const auto quiesced = quiesce(console(), {{kSaveOff}, {"save-on"}}, {}, std::move(*guard));
    EXPECT_TRUE(quiesced);
  }
  EXPECT_EQ(inputs_after_stop(), "save-off\nsave-on\nstop\n");
}

TEST_F(ResumeGuardTest, AProgramThatIsNoGuardIsTold) {
  const auto guard = ResumeGuard::start({"/bin/true"}, guarded(kLong));
  ASSERT_FALSE(guard);
  EXPECT_EQ(guard.error().code, Code::kUnavailable);
  EXPECT_FALSE(ResumeGuard::start({"/nowhere/manman"}, guarded(kLong)));
}

TEST_F(QuiesceTest, AnEmptyPlanSendsNothing) {
  {
    EXPECT_TRUE(run({}));
  }
  EXPECT_EQ(inputs_after_stop(), "stop\n");
}

}  // namespace
}  // namespace manman
