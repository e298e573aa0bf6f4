#pragma once

#include <cstdint>
#include <optional>

#include "api/context.h"
#include "db/repositories.h"

// What is made of the occasions on which policies are due. Each function works in the caller's
// transaction, which holds the policy's row where it decides on it.
namespace manman::api {

// When the policy is due next after an instant (Unix seconds); 0: at no time.
Result<int64_t> next_due(const BackupPolicy& policy, int64_t after_s);

// Writes down that a policy is due, to be made when it can. Nothing when this occasion was written
// down before. session_id: of an event.
Result<std::optional<PolicyRun>> record_run(db::Transaction& tx, const BackupPolicy& policy,
                                            RunTrigger trigger, int64_t due_at, int64_t now_s,
                                            int64_t session_id = 0);

// Makes the backup of a run that waits: then it is started. When there can be none now, it waits on
// and says for what; when there is nothing to back up it is skipped; when none can be ordered it
// fails. An error is the transaction's.
Result<void> attempt_run(const Context& context, db::Transaction& tx, const BackupPolicy& policy,
                         PolicyRun& run);

// Ends a run that waits.
Result<void> conclude_run(const Context& context, db::Transaction& tx, PolicyRun& run,
                          RunOutcome outcome, const std::string& reason);

// What has come due of a policy's schedule by now: the latest time is made, or waits; those before
// it are missed. While one waits already, all are missed.
Result<void> take_due(const Context& context, db::Transaction& tx, BackupPolicy& policy);

// Before its schedule is changed or it is paused: what has come due by now and was not taken yet is
// missed, and the row says why.
Result<void> miss_due(const Context& context, db::Transaction& tx, const BackupPolicy& policy,
                      const std::string& reason);

// A session has ended: the policies that are due then.
Result<void> note_session_end(db::Transaction& tx, const Session& session, int64_t now_s);

}  // namespace manman::api
