#pragma once

#include <cstdint>

#include "base/error.h"
#include "db/repositories.h"

// What may not overlap on one SGC: one backup, restore or undo at a time. Each check is
// kFailedPrecondition naming the one at work. The host's lane keeps the order in any case; these
// tell the caller at once.
namespace manman::api {

Result<void> check_no_backup(db::Transaction& tx, int64_t sgc_id);
Result<void> check_no_restore(db::Transaction& tx, int64_t sgc_id);
Result<void> check_no_undo(db::Transaction& tx, int64_t sgc_id);

}  // namespace manman::api
