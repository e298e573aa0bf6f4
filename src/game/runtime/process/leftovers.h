#pragma once

#include <sys/types.h>

#include <chrono>

#include "base/error.h"

namespace manman::process {

// Ends what a game left behind when its leading process ended: SIGTERM, and SIGKILL once the grace
// has passed. A server started by a script may still be saving its world then. Returns when none of
// them lives. Called by the wrapper, a subreaper whose only child is the game, itself not yet
// reaped, so that the number of its process group can't be given anew.
Result<void> end_leftovers(pid_t game, std::chrono::milliseconds grace);

}  // namespace manman::process
