#pragma once

#include <string_view>

#include "game/runtime/process/session_files.h"

namespace manman::process {

// Writes all of input to the game's standard input. kUnavailable when the game takes none of it for
// 2 s (the pipe holds 64 KiB that nobody reads); the message says how much it took before.
Result<void> write_input(const SessionFiles& files, std::string_view input);

}  // namespace manman::process
