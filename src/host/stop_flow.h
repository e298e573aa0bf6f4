#pragma once

#include "domain/messages.h"
#include "host/context.h"

namespace manman::host {

// Does a stop or kill command: asks the game to end (the config's stop command, or SIGTERM), waits
// for its grace time, then kills it. For a game that does not run it reports how that ended. Does
// not throw.
void run_stop(Context& context, Job& job, const SessionCommand& command);

// The report that renews the lease of a session that is being stopped.
SessionReport stop_renewal(const SessionCommand& command, int64_t server_id);

// Kills a game that runs, or ends a start that is under way, now and outside the lane. False when
// there is neither; then the kill is a job like a stop.
Result<bool> kill_now(Context& context, const SessionCommand& command);

// Reports the end of a game that was watched: what a Sessions::OnEnd does.
void report_end(Context& context, const GameInstance& game, const GameState& state);

// Watches a game that runs although the journal knows nothing of its session.
void adopt_unknown(Context& context, const StartSessionCommand& command);

}  // namespace manman::host
