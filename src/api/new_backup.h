#pragma once

#include <cstdint>
#include <string>

#include "api/context.h"
#include "db/repositories.h"

namespace manman::api {

struct BackupWish {
  int64_t sgc_id = 0;
  int64_t session_id = 0;  // 0: the SGC's live one, if any
  std::string description;
  std::string format;  // "": as the policy or the game config says
  std::string level;
  int64_t policy_id = 0;  // 0: a policy has no part in it
  bool manual = false;    // a person asks for it now: their number has a limit of its own
};

// The one way in which a backup comes into being: its row, and the command to its host in the
// outbox, in the caller's transaction. Another backup, restore or undo of the SGC that is at work
// is kFailedPrecondition, a limit that is reached kResourceExhausted. run: the occasion that it is
// made for, which becomes kStarted; none for a person's own.
Result<Backup> begin_backup(const Context& context, db::Transaction& tx, const BackupWish& wish,
                            PolicyRun* run = nullptr);

}  // namespace manman::api
