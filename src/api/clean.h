#pragma once

#include <chrono>

#include "api/audit.h"
#include "api/context.h"
#include "api/jobs/deleter.h"

namespace manman::api {

// kFailedPrecondition when the database has no backup at all but the bucket has archives: that is a
// lost database, and they are all that is left.
Result<void> check_may_clean(const Context& context);

// Does away with what a finding tells of, after another look: removes objects without rows and what
// failed and cancelled backups have left, ends stale uploads, deletes rows without objects, and
// marks those whose object has another size as damaged. Objects younger than this stay. Sets the
// finding's outcome: "removed", "marked-damaged", or "left" with the reason; "" when it is no
// finding any more. An error is the store's or database's, and ends the run.
Result<void> clean(const Context& context, Deleter& deleter, std::chrono::seconds older_than,
                   Finding& finding);

}  // namespace manman::api
