#pragma once

#include "domain/messages.h"
#include "host/context.h"

// Keeps the GSC directories tidy. Removes what is named here and nothing else.
namespace manman::host {

// At the start, in the lane of each SGC before any job: staging folders that no swap waits for, and
// trash, both left by a crash.
void sweep_leftovers(Context& context);

// Gives a job to each replaced-{session_id}/ that has stood for keep_replaced. Its time counts from
// replaced-{session_id}.since, which is made now where it is missing.
void expire_replaced(Context& context);

// Removes one for good and reports it "removed". Does not throw.
void run_expire(Context& context, Job& job, const SessionCommand& command);

// Has the runtime remove what it keeps for sessions that this host neither runs nor starts. Returns
// at once; a call while an earlier one is at work is nothing.
void reap_orphans(Context& context);

// Removes session-{id}/ of ended sessions beyond the latest keep_sessions of their SGC, and those
// older than keep_sessions_for, in the lane of the SGC.
void forget_old_sessions(Context& context);

// Frees what the output of running games takes on disk beyond max_output_bytes.
void limit_outputs(Context& context);

// Starts the clock of replaced-{session_id}/.
void note_replaced(const GscDir& gsc, int64_t session_id);

// One rename takes replaced-{session_id}/ out of sight, and its clock with it; false when it is not
// there or stays. Removing takes as long as the data is large, and is finished at the next start
// when a crash ends it.
bool move_replaced_to_trash(const GscDir& gsc, int64_t session_id);
void remove_trash(const GscDir& gsc, int64_t session_id);

}  // namespace manman::host
