#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "base/error.h"
#include "game/runtime/runtime.h"

namespace manman {

// How a game that was started got on.
struct Readiness {
  enum class Kind {
    kReady,
    kEnded,  // before it was
    kLate,   // not in time; it runs
  };
  Kind kind = Kind::kLate;
  std::chrono::milliseconds after{0};
  GameState state;
};

// Waits for the first line that the game has put out since its start in which the expression (RE2)
// is found. kCancelled once `stop`, which is asked often, says so. The game is left as it is.
Result<Readiness> wait_until_ready(Runtime& runtime, const GameInstance& game,
                                   const std::string& ready, std::chrono::milliseconds timeout,
                                   const std::function<bool()>& stop);

// The end of what a game has put out, at most so many bytes of it: whole lines, if there are any,
// parted by " | ", without what is no text.
Result<std::string> last_output(Runtime& runtime, const GameInstance& game, size_t max_bytes);

}  // namespace manman
