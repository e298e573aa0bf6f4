#include "host/end_game.h"

#include <string>

namespace manman::host {
namespace {

using std::chrono::seconds;

// What SIGKILL does not end in this time hangs in the kernel; its end is seen when it comes.
constexpr seconds kKillPatience{60};

Result<void> ask_to_end(Context& context, const About& about, const GameInstance& game,
                        const std::string& command) {
  if (!command.empty()) {
    auto sent = context.runtime.send_input(game, command + "\n");
    if (sent) return {};
    log_warn(about, "send '{}': {}; SIGTERM instead", command, sent.error().message);
  }
  return context.runtime.terminate(game);
}

}  // namespace

bool end_game(Context& context, const About& about, const GameInstance& game,
              const Handling& handling, const WaitForEnd& wait) {
  if (auto asked = ask_to_end(context, about, game, handling.stop_command); !asked)
    log_warn(about, "ask the game to end: {}", asked.error().message);
  if (wait(seconds(handling.stop_grace_seconds))) return true;
  if (context.stopping) return false;
  log_warn(about, "the game did not end within {} s and is killed", handling.stop_grace_seconds);
  return kill_game(context, about, game, wait);
}

bool kill_game(Context& context, const About& about, const GameInstance& game,
               const WaitForEnd& wait) {
  if (auto killed = context.runtime.kill(game); !killed)
    log_error(about, "kill: {}", killed.error().message);
  return wait(kKillPatience);
}

}  // namespace manman::host
