#pragma once

#include <chrono>
#include <functional>

#include "domain/handling.h"
#include "host/context.h"

namespace manman::host {

// Waits so long for a game's end; false when it has not ended by then, or the host stops.
using WaitForEnd = std::function<bool(std::chrono::milliseconds)>;

// Ends a game the way its handling says: asked by its stop command, or SIGTERM, and killed after
// its grace. False when it has not ended: the host stops, or not even SIGKILL helps.
bool end_game(Context& context, const About& about, const GameInstance& game,
              const Handling& handling, const WaitForEnd& wait);
// By SIGKILL, at once.
bool kill_game(Context& context, const About& about, const GameInstance& game,
               const WaitForEnd& wait);

}  // namespace manman::host
