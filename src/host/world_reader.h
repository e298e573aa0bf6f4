#pragma once

#include "archive/archive.h"
#include "base/stream.h"
#include "domain/consistency.h"
#include "domain/messages.h"
#include "host/context.h"

namespace manman::host {

struct WorldRead {
  archive::PackResult packed;
  ConsistencyVerdict verdict;
};

// Packs the save data of a backup's SGC into `out`, while its game runs or not: makes the game hold
// still, reads a snapshot where there can be one, the data itself otherwise, and lets the game go
// on as soon as it may; before it returns in any case. Errors of `out` come back as they are.
Result<WorldRead> read_world(Context& context, Job& job, const BackupCommand& command, Sink& out);

}  // namespace manman::host
