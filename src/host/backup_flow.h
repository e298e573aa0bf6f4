#pragma once

#include "domain/messages.h"
#include "host/context.h"

namespace manman::host {

// Does a backup command, from its place in the lane to its last report. Does not throw.
void run_backup(Context& context, Job& job, const BackupCommand& command);

// The report that renews the lease of a backup that waits or is at work.
BackupReport backup_renewal(const BackupCommand& command, int64_t server_id,
                            const Progress& progress);

}  // namespace manman::host
