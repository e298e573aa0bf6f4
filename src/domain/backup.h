#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/compression.h"
#include "domain/consistency.h"
#include "domain/verification.h"

namespace manman {

enum class BackupStatus {
  kPending,
  kRunning,
  kCompleted,
  kFailed,
  kCancelled,  // given up because somebody asked for it
  kLost,       // failed because the host went silent; shown as `failed`; a late completion mends it
  kDeleting,   // its object is being removed, the row goes last
};

enum class BackupEvent {
  kHostRunning,  // the host works on it, or still does
  kHostCompleted,
  kHostFailed,
  kLeaseExpiredRetry,  // the host went silent and another attempt is allowed
  kLeaseExpired,       // the host went silent for the last time
  kCancel,
  kDelete,
};

// The transition table of a backup: the state after `event`, or nothing when the event does not
// apply, in which case it is ignored and counted. Events of the host count only when their attempt
// is the row's; the caller checks that first.
std::optional<BackupStatus> next(BackupStatus status, BackupEvent event);

inline bool is_active(BackupStatus status) {
  return status == BackupStatus::kPending || status == BackupStatus::kRunning;
}

// As stored: "pending", "running", "completed", "failed", "cancelled", "lost", "deleting".
std::string_view to_text(BackupStatus status);
std::optional<BackupStatus> backup_status_from(std::string_view text);
// As on the wire: "lost" is shown as "failed".
std::string_view wire_text(BackupStatus status);

// A row of `backups`. Ids of 0 are not set; *_at are Unix seconds, *_ms Unix milliseconds.
struct Backup {
  int64_t backup_id = 0;
  int64_t session_id = 0;
  int64_t sgc_id = 0;
  std::string s3_url;
  int64_t size_bytes = 0;
  std::string description;
  int64_t created_at = 0;
  BackupStatus status = BackupStatus::kPending;
  std::string error_message;
  int attempt = 1;
  int64_t lease_until_ms = 0;
  std::string sha256;
  int64_t progress_bytes = 0;
  int64_t total_bytes = 0;
  int64_t started_at = 0;
  int64_t finished_at = 0;
  int64_t entries = 0;
  std::vector<std::string> warnings;
  Compression compression;
  ConsistencyVerdict verdict;  // once completed
  bool pinned = false;         // never goes by itself, nor by mistake
  int64_t policy_id = 0;       // that made it
  std::string fingerprint;     // of its save data before it was read; "": not known. Once completed
  Verification verification;
  // Random; stands in the archive's index, too, and tells whether an object is this backup's. "":
  // of a time before that.
  std::string mark;
  int64_t adopted_at = 0;  // when the row was made again from its archive; 0: it was not
};

}  // namespace manman
