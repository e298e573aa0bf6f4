#pragma once

#include "api/context.h"
#include "db/database.h"
#include "domain/event.h"
#include "domain/session.h"

namespace manman::api {

// Adds an event to the log, in the transaction that makes it happen. Its time is now; its actor is
// the caller of the call at work, unless it names one: a part of the service.
Result<void> note_event(const Context& context, db::Transaction& tx, Event event);

// How a backup ended, by its row: completed, failed (or given up) or cancelled.
Result<void> note_end(const Context& context, db::Transaction& tx, const Backup& backup,
                      const std::string& actor);

// How a session ended, by its row.
Result<void> note_session_ended(const Context& context, db::Transaction& tx, const Session& session,
                                const std::string& actor);

}  // namespace manman::api
