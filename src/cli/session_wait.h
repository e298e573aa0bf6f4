#pragma once

#include <cstdint>

#include "cli/context.h"

// The --wait of the session verbs. Each waits, prints the session as it then is and returns the
// exit code; Ctrl-C ends only the wait.
namespace manman::cli {

Result<int> wait_for_running(Context& context, int64_t session_id);
Result<int> wait_for_end(Context& context, int64_t session_id);
Result<int> wait_for_undo(Context& context, int64_t session_id);

}  // namespace manman::cli
