#pragma once

#include "cli/command.h"
#include "manman/v1/manman.pb.h"

// For commands that have a backup made.
namespace manman::cli {

void add_wait(Command& command, bool& wait);

// Prints a backup that was ordered; waits for its end before, and shows its progress, if it is to.
// One that fails is kAborted, saying why.
Result<int> show_begun(Context& context, v1::Backup backup, bool wait);

}  // namespace manman::cli
