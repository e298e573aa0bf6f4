#pragma once

#include "domain/messages.h"
#include "host/context.h"

namespace manman::host {

// Puts back what the restore of a session replaced: exchanges replaced-{session_id}/ with game/,
// then removes the restored data. Reports "undone"; or, with the reason, "kept" or "removed",
// whichever the replaced data then is. Does not throw.
void run_undo(Context& context, Job& job, const SessionCommand& command);

}  // namespace manman::host
