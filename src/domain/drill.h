#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace manman {

// A restore drill: a backup is unpacked into a scratch folder of a host and examined there.
enum class DrillStatus {
  kPending,
  kRunning,
  kPassed,
  kFailed,   // what is in the backup is damaged, or its game does not run on it
  kGivenUp,  // it could not be done, which says nothing of the backup
};

enum class DrillEvent {
  kHostRunning,  // the host works on it, or still does
  kHostPassed,
  kHostFailed,
  kHostGaveUp,
  kLeaseExpired,  // the host went silent
  kBackupGone,    // it is being deleted
};

// The transition table of a drill: the state after `event`, or nothing when the event does not
// apply. What a host found in a drill that was given up meanwhile counts all the same.
std::optional<DrillStatus> next(DrillStatus status, DrillEvent event);

inline bool is_active(DrillStatus status) {
  return status == DrillStatus::kPending || status == DrillStatus::kRunning;
}

// As stored and on the wire: "pending", "running", "passed", "failed", "given-up".
std::string_view to_text(DrillStatus status);
std::optional<DrillStatus> drill_status_from(std::string_view text);

// A row of `drills`. Ids of 0 are not set; *_at are Unix seconds, *_ms Unix milliseconds.
struct Drill {
  int64_t drill_id = 0;
  int64_t backup_id = 0;
  int64_t sgc_id = 0;     // of the backup
  int64_t server_id = 0;  // whose host does it; 0: that server is gone
  int64_t policy_id = 0;  // that ordered it
  bool start_game = false;
  DrillStatus status = DrillStatus::kPending;
  std::string error_message;          // of a failed one the first finding, or why it was given up
  std::vector<std::string> findings;  // what is damaged; the first of them
  int64_t finding_count = 0;
  std::string examined;          // "2 databases, 12 region files (2903 chunks), …"
  int64_t unexamined_count = 0;  // files that can't be examined
  int64_t created_at = 0;
  int64_t started_at = 0;
  int64_t finished_at = 0;
  int64_t lease_until_ms = 0;
  int64_t progress_bytes = 0;  // of unpacking, then of examining
  int64_t total_bytes = 0;
};

}  // namespace manman
