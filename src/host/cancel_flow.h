#pragma once

#include <cstdint>
#include <string>

#include "domain/messages.h"
#include "host/context.h"

namespace manman::host {

// Whether a cancel of this backup stands in the journal, at work or done. Ids start anew with a new
// database; the URL tells whether it is the same backup.
bool is_cancelled(Context& context, int64_t backup_id, const std::string& s3_url);

// Has all jobs for this backup end as soon as they can; returns at once.
void end_backup(Context& context, int64_t backup_id);

// Does a cancel command, in a lane of its own: waits until no job for the backup is at work, those
// that still wait in their lane ended here, and sees to it that the store holds nothing of it.
// While the store is away it tries on. Does not throw.
void run_cancel(Context& context, Job& job, const CancelBackupCommand& command);

}  // namespace manman::host
