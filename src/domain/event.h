#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace manman {

enum class EventKind {
  kBackupOrdered,  // by a person
  kBackupDue,      // a policy has it made
  kBackupCompleted,
  kBackupFailed,
  kBackupCancelled,
  kBackupDeleted,  // marked for it; the object and the row follow
  kBackupPinned,
  kBackupUnpinned,
  kVerificationFailed,
  kDrillOrdered,
  kAuditAdopted,  // a row was made again from an archive
  kAuditCleaned,  // something that did not fit was removed
  kSessionOrdered,
  kSessionStopOrdered,
  kSessionInput,
  kSessionEnded,
  kSessionLost,
  kRestoreUndone,
  kServerRegistered,
  kServerUpdated,
  kServerDeleted,
  kHostLost,
  kHostBack,
  kGameCreated,
  kGameDeleted,
  kGameConfigCreated,
  kGameConfigDeleted,
  kSgcCreated,
  kSgcUpdated,
  kSgcDeleted,
  kPolicyCreated,
  kPolicyUpdated,
  kPolicyDeleted,
  kPolicyMissed,  // one or more runs that were due were not made, or could not be
  kWebhookCreated,
  kWebhookUpdated,
  kWebhookDeleted,
  kWebhookTest,
};

// As stored and on the wire: "backup.failed".
std::string_view to_text(EventKind kind);
std::optional<EventKind> event_kind_from(std::string_view text);
// All of them, in the order above.
std::span<const EventKind> all_event_kinds();

// A row of `events`: what happened, when, and who did it. Rows are only added, and removed when
// they are old.
struct Event {
  int64_t event_id = 0;
  int64_t at_ms = 0;
  EventKind kind = EventKind::kBackupOrdered;
  std::string actor;  // a caller of the API, or the part of the service
  // What it is about, which may be gone by now; 0: nothing of that kind.
  int64_t server_id = 0;
  int64_t sgc_id = 0;
  int64_t session_id = 0;
  int64_t backup_id = 0;
  int64_t policy_id = 0;
  std::string message;
};

}  // namespace manman
