#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <thread>

#include "api/context.h"
#include "archive/archive.h"
#include "base/rate_limiter.h"
#include "base/sync.h"
#include "db/database.h"
#include "domain/backup.h"
#include "store/store.h"

// Verifying the archives of completed backups where they are stored, for whoever asks.
namespace manman::api {

// Whether the object is there, in the size that its row says; else kDataLoss.
Result<void> check_head(Store& store, const Backup& backup);

// Reads all of a backup's archive and checks it, its SHA-256 against the row's too, in a thread of
// its own, so that its owner can see to other things meanwhile. Ended and joined by the destructor.
class ArchiveCheck {
 public:
  // The store and the limit, if any, must outlive this.
  ArchiveCheck(Store& store, Backup backup, RateLimiter* limit = nullptr);
  ArchiveCheck(const ArchiveCheck&) = delete;
  ArchiveCheck& operator=(const ArchiveCheck&) = delete;
  ~ArchiveCheck() { progress_.cancel = true; }

  // The result once it is there; nothing when the time passes before.
  std::optional<Result<archive::VerifyResult>> wait_for(std::chrono::milliseconds time);
  const Progress& progress() const { return progress_; }

 private:
  Result<archive::VerifyResult> check();

  Store& store_;
  const Backup backup_;
  RateLimiter* const limit_;
  Progress progress_;
  Sync<std::optional<Result<archive::VerifyResult>>> result_;
  std::jthread thread_;  // last: it uses all of the above
};

// Whether an error of these tells of damage to what is stored. Others say nothing of it: the store
// is away, say, or nobody waits for the answer any more.
bool tells_of_damage(const Error& error);

// Writes what a look that began at `begun_at` came to into the row of the backup: all that is found
// of a backup, good or damaged, by whatever look, goes through here. False, and nothing is changed,
// when it is no longer what was looked at: deleted, or made anew.
Result<bool> record_look(const Context& context, db::Transaction& tx, const Backup& looked_at,
                         VerifiedHow how, int64_t begun_at, const Result<void>& outcome);

// Writes what a look that began at `begun_at` came to into the row of the backup, which no
// verifier has claimed any more then. Passes over one that is no longer what was looked at.
Result<void> note_verified(const Context& context, const Backup& looked_at, VerifiedHow how,
                           int64_t begun_at, const Result<void>& outcome);

}  // namespace manman::api
