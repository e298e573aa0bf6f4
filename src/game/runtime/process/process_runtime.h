#pragma once

#include <memory>

#include "game/runtime/runtime.h"

namespace manman {

// Games as processes of this machine. Between manman and the game stands a small wrapper process
// (`{self_exe} game-wrapper DIR`), in a session of its own: it holds the fifo that is the
// game's standard input, sends its output to a file, and writes down how it ended, so that both
// outlive manman. A GameProgram with an image is kInvalidArgument. One that is kept apart runs in
// namespaces of its own: network, IPC (with /dev/shm), mounts and PIDs; where this user may not
// make them by itself, in a user namespace as itself. What its leading process leaves behind is
// killed.
//
// The game leads a process group of its own; terminate() asks all of it. When its leading process
// has ended, what is left (a server behind a start script, say) is asked to end too and has 30 s to
// save; the game counts as running until then, and its exit code is that of the leading process.
// The environment is PATH, HOME and LANG of manman and the program's own variables. A relative
// program with a slash is looked up in {gsc}/game, which is made when it is not there. All
// functions of this runtime may be called from any thread; they keep nothing between calls.
std::unique_ptr<Runtime> make_process_runtime(std::filesystem::path self_exe);

// The wrapper's main function (`manman game-wrapper DIR`); returns its exit code.
int run_game_wrapper(const std::filesystem::path& dir);

}  // namespace manman
