#pragma once

#include <filesystem>

#include "game/runtime/process/session_files.h"
#include "game/runtime/runtime.h"

namespace manman::process {

// What of a program would keep it from being run; kInvalidArgument naming it.
Result<void> check_program(const GameProgram& program);

// Runtime::start(): makes the session's files and a wrapper that runs the program. After an error
// nothing runs and no files are left, except where an earlier start has them (kAlreadyExists) or
// the wrapper gave no answer in time (kDeadlineExceeded).
Result<void> launch(const std::filesystem::path& self_exe, const SessionFiles& files,
                    const GameProgram& program);

// Waits, some seconds at most, until the session has its state.json or no start is under way.
// False when a start is still under way.
Result<bool> settle(const SessionFiles& files);

}  // namespace manman::process
