#pragma once

#include <cstdint>
#include <string>

#include "api/context.h"
#include "db/repositories.h"

// The backup of the present data that comes before a restore, where a policy of the SGC says so.
// Its session stands as pending, with waits_for_backup_id, and its host hears nothing of it until
// that backup is completed. Each function works in the caller's transaction.
namespace manman::api {

// Orders it for a restore of `restored` (backup_id 0: none, and nothing is ordered). 0 when no
// policy asks for one. It is refused when any backup would be.
Result<int64_t> begin_safety_backup(const Context& context, db::Transaction& tx,
                                    const Backup& restored);

// Stores the session that is to restore after it.
Result<Session> create_waiting(db::Transaction& tx, Session session, int64_t safety_backup_id);

// To be called for each backup that has come to an end: the sessions that wait for it begin to
// restore when it is completed, or there was no data to back up; else they fail, saying so.
Result<void> safety_backup_ended(const Context& context, db::Transaction& tx, const Backup& backup,
                                 bool no_data = false);

// Ends a session that waits. Its host has not heard of it.
Result<Session> end_waiting(const Context& context, db::Transaction& tx, Session session,
                            SessionStatus status, const std::string& reason);

}  // namespace manman::api
