#pragma once

#include <functional>

#include "api/context.h"
#include "domain/backup.h"
#include "domain/policy.h"
#include "domain/retention.h"

namespace manman::api {

using DecisionVisit = std::function<Result<void>(const Backup&, const RetentionDecision&)>;

// Decides on each backup that a policy made, as its rules say, from the newest to the oldest;
// changes nothing. Those that are being deleted already are passed over. Reads some rows at a time.
Result<void> decide_on_backups(const Context& context, const BackupPolicy& policy,
                               const DecisionVisit& visit);

}  // namespace manman::api
