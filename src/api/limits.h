#pragma once

#include <string>

#include "api/commands.h"
#include "api/context.h"
#include "domain/catalog.h"
#include "manman/v1/manman.pb.h"

// The bounds on backups that an SGC and a server have. A bound that is reached is
// kResourceExhausted, naming it, what has been used of it and what helps.
namespace manman::api {

// Whether one more backup may begin, by the number of those at work and the bytes that are stored.
Result<void> check_limits(const Context& context, db::Transaction& tx,
                          const Deployment& deployment);
// Whether a person may ask for one more within the hour.
Result<void> check_manual_rate(const Context& context, db::Transaction& tx,
                               const Deployment& deployment);

// Takes over what a request says; what is 0 stays. A negative value is kInvalidArgument naming it.
Result<void> change_limits(const v1::BackupLimits& said, BackupLimits& limits);

// "limits: max_total_bytes 1000"; "no limits".
std::string text_of(const BackupLimits& limits);

}  // namespace manman::api
