#include "api/events.h"

#include "api/fields.h"
#include "db/events.h"

namespace manman::api {
namespace {

// A reason may hold the end of a game's output.
constexpr size_t kMaxMessageBytes = 2000;

EventKind kind_of(BackupStatus status) {
  if (status == BackupStatus::kCompleted) return EventKind::kBackupCompleted;
  if (status == BackupStatus::kCancelled) return EventKind::kBackupCancelled;
  return EventKind::kBackupFailed;
}

}  // namespace

Result<void> note_event(const Context& context, db::Transaction& tx, Event event) {
  event.at_ms = context.clock.now_ms();
  if (event.actor.empty()) event.actor = context.actor;
  event.message = shortened(std::move(event.message), kMaxMessageBytes);
  TRY(db::events::add(tx, event));
  return {};
}

Result<void> note_end(const Context& context, db::Transaction& tx, const Backup& backup,
                      const std::string& actor) {
  std::string message = backup.error_message;
  if (backup.status == BackupStatus::kCompleted)
    message = std::to_string(backup.size_bytes) + " bytes, " +
              std::string(to_text(backup.verdict.consistency));
  return note_event(context, tx,
                    {.kind = kind_of(backup.status),
                     .actor = actor,
                     .sgc_id = backup.sgc_id,
                     .session_id = backup.session_id,
                     .backup_id = backup.backup_id,
                     .policy_id = backup.policy_id,
                     .message = std::move(message)});
}

Result<void> note_session_ended(const Context& context, db::Transaction& tx, const Session& session,
                                const std::string& actor) {
  std::string message(wire_text(session.status));
  if (session.exit_code != 0) message += ", exit code " + std::to_string(session.exit_code);
  if (!session.error_message.empty()) message += ": " + session.error_message;
  return note_event(context, tx,
                    {.kind = EventKind::kSessionEnded,
                     .actor = actor,
                     .sgc_id = session.sgc_id,
                     .session_id = session.session_id,
                     .message = std::move(message)});
}

}  // namespace manman::api
