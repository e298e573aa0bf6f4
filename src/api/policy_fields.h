#pragma once

#include "base/error.h"
#include "domain/policy.h"
#include "manman/v1/manman.pb.h"

// Backup policies between messages and rows.
namespace manman::api {

// What a message says, checked by itself: names, schedule, format, handling, keep, verify. Of what
// is the service's to say, policy_id and created_at alone are taken. kInvalidArgument names the
// field.
Result<BackupPolicy> policy_from(const v1::BackupPolicy& said);

// Next to what is said, also created_at, updated_at and when it is due next.
void to_proto(const BackupPolicy& row, v1::BackupPolicy* message);

// Changes what is said, as UpdateBackupPolicyRequest has it.
Result<void> change_policy(const v1::UpdateBackupPolicyRequest& change, v1::BackupPolicy& said);

void to_proto(const PolicyRun& row, v1::PolicyRun* message);

}  // namespace manman::api
