#pragma once

#include "domain/messages.h"
#include "host/context.h"

namespace manman::host {

// Does a start command: brings the data into place (a restore, or a new game/ when there is none),
// launches the game and has it watched. Ends with the report "running", or with the session's last
// one. Does not throw.
void run_start(Context& context, Job& job, const StartSessionCommand& command);

// Takes up a session that was launched before the host ended: watches it and reports it again.
void adopt(Context& context, const StartSessionCommand& command);

// What a launch has the runtime run.
GameProgram program_of(const GameLaunch& launch);

// The report that renews the lease of a session that waits or starts.
SessionReport start_renewal(const StartSessionCommand& command, int64_t server_id,
                            const Progress& progress);

}  // namespace manman::host
