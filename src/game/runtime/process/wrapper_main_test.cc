#include <gtest/gtest.h>
#include <signal.h>

#include <string_view>

#include "game/quiesce/resume_guard.h"
#include "game/runtime/process/process_runtime.h"

// The test program is also the wrapper of the games that it starts, and a manman that is killed
// right after it has started one: `game_test start-and-die GSC_DIR SESSION_ID SCRIPT`.
int main(int argc, char** argv) {
  using namespace manman;
  const std::string_view verb = argc > 1 ? argv[1] : "";
  if (verb == "game-wrapper" && argc == 3) return run_game_wrapper(argv[2]);
  if (verb == "resume-guard") {
    const auto runtime = make_process_runtime("/proc/self/exe");
    return run_resume_guard([&](const GuardedGame& guarded) {
      return open_console(*runtime, guarded.game, guarded.rcon);
    });
  }
  if (verb == "start-and-die" && argc == 5) {
    const GameInstance game{std::stoll(argv[3]), 7, argv[2]};
    const auto runtime = make_process_runtime("/proc/self/exe");
    if (!runtime->start(game, {"", {"sh", "-c", argv[4]}, {}})) return 1;
    ::raise(SIGKILL);
  }
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
