#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace manman {

enum class SessionStatus {
  kPending,
  kStarting,  // the host has it: restoring or launching
  kRunning,
  kStopping,
  kStopped,    // ended after a stop was asked for
  kCrashed,    // could not start, was killed by a signal, or ended with another code than 0
  kCompleted,  // ended by itself with code 0
  kLost,       // the host went silent before the game ran, or before it was seen to end after a
               // stop; shown as `crashed`; what the host reports later still counts
};

enum class SessionEvent {
  kHostStarting,
  kHostRunning,
  kHostStopping,
  kHostStopped,
  kHostCrashed,
  kHostCompleted,
  kStop,          // StopSession, or a forced start of another session
  kLeaseExpired,  // only in kPending, kStarting and kStopping
};

// The transition table of a session, like that of a backup.
std::optional<SessionStatus> next(SessionStatus status, SessionEvent event);

// kPending, kStarting, kRunning, kStopping.
bool is_live(SessionStatus status);

std::string_view to_text(SessionStatus status);
std::optional<SessionStatus> session_status_from(std::string_view text);
std::string_view wire_text(SessionStatus status);

// What became of the data that a restore replaced.
enum class ReplacedData { kNone, kKept, kUndoing, kUndone, kRemoved };
std::string_view to_text(ReplacedData state);  // "", "kept", "undoing", "undone", "removed"
std::optional<ReplacedData> replaced_data_from(std::string_view text);

// A row of `sessions`.
struct Session {
  int64_t session_id = 0;
  int64_t sgc_id = 0;
  int64_t created_at = 0;
  int64_t started_at = 0;
  int64_t ended_at = 0;
  int exit_code = 0;
  SessionStatus status = SessionStatus::kPending;
  int64_t restored_from_backup_id = 0;
  std::vector<std::string> restored_paths;  // of its archive: only these; all when empty
  std::string error_message;
  ReplacedData replaced_data = ReplacedData::kNone;
  int64_t lease_until_ms = 0;
  int64_t progress_bytes = 0;
  int64_t total_bytes = 0;
  // The safety backup that must be completed before its restore begins; 0: none, or no longer.
  int64_t waits_for_backup_id = 0;
};

}  // namespace manman
