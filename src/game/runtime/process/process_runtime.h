#pragma once

#include <memory>

#include "game/runtime/runtime.h"

namespace manman {

// Games as processes of this machine. Between manman and the game stands a small wrapper process
// (`{self_exe} game-wrapper DIR`), in a session of its own: it holds the fifo that is the
// game's standard input, sends its output to a file, and writes down how it ended, so that both
// outlive manman. A GameProgram with an image is kInvalidArgument.
std::unique_ptr<Runtime> make_process_runtime(std::filesystem::path self_exe);

// The wrapper's main function (`manman game-wrapper DIR`); returns its exit code.
int run_game_wrapper(const std::filesystem::path& dir);

}  // namespace manman
