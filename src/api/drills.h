#pragma once

#include <cstdint>
#include <string>

#include "api/context.h"
#include "db/repositories.h"
#include "domain/drill.h"

// Restore drills, as whoever orders or ends one does it.
namespace manman::api {

struct DrillWish {
  int64_t backup_id = 0;
  int64_t server_id = 0;  // 0: that of the backup's SGC
  int64_t policy_id = 0;  // that orders it
  bool start_game = false;
};

// Stores the drill and its command. A backup that is not completed, or is being drilled already,
// and an SGC whose profile is not known, or (start_game) whose handling has no `ready`, are
// kFailedPrecondition.
Result<Drill> begin_drill(const Context& context, db::Transaction& tx, const DrillWish& wish);

// Ends it as one that says nothing of its backup; false when it has ended already.
Result<bool> give_up_drill(const Context& context, db::Transaction& tx, Drill& drill,
                           DrillEvent event, const std::string& why);

// For the metrics and the log, once its transaction is committed.
void drill_ended(const Context& context, const Drill& drill);

}  // namespace manman::api
