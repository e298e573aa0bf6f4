#pragma once

#include <string>

#include "base/error.h"
#include "domain/messages.h"
#include "host/context.h"

namespace manman::host {

// Brings the archive that the command names into {gsc}/game: staged, checked, synced, then put in
// place in one step, what was there kept as replaced-{session_id}/. Goes on where a crash left it.
// After an error game/ is as it was, or (when the exchange was done and a later step failed) wholly
// the restored data; replaced_by() tells.
Result<void> restore(Context& context, Job& job, const StartSessionCommand& command);

// What the session's restore did with the data before it: "kept" when that is in
// replaced-{session_id}/, "none" when the restore did not get so far or found nothing, "" when the
// session restores nothing.
std::string replaced_by(Context& context, const JobKey& key, const StartSessionCommand& command);

}  // namespace manman::host
