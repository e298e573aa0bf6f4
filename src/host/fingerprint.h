#pragma once

#include <string>

#include "domain/messages.h"
#include "host/context.h"

namespace manman::host {

// What the save data of a backup's SGC looks like from outside: names, kinds, sizes and times of
// all that its handling does not leave out, and the form of the archive, as a hexadecimal SHA-256.
// Two that are equal, the first taken before a backup was read, say that this backup holds the data
// as it is now. Opens no file; memory is bounded. "" when it can't be told: something was written
// to a moment ago, or could not be looked at. A write through mmap on a tmpfs leaves no trace to be
// seen.
std::string fingerprint_of(Context& context, Job& job, const BackupCommand& command);

}  // namespace manman::host
