#include "api/sgc_state.h"

#include <string>

namespace manman::api {
namespace {

constexpr std::string_view kOneAtATime = "; one backup or restore at a time";

constexpr int kLiveSessions = 200;  // more than an SGC can have

std::string session_of_sgc(const Session& session) {
  return "session " + std::to_string(session.session_id) + " of SGC " +
         std::to_string(session.sgc_id);
}

}  // namespace

Result<void> check_no_backup(db::Transaction& tx, int64_t sgc_id) {
  const auto active = TRY(db::backups::active(tx, sgc_id));
  if (!active) return {};
  return fail(Code::kFailedPrecondition,
              "backup " + std::to_string(active->backup_id) + " of SGC " + std::to_string(sgc_id) +
                  " is " + std::string(wire_text(active->status)) + std::string(kOneAtATime));
}

Result<void> check_no_restore(db::Transaction& tx, int64_t sgc_id) {
  const auto live = TRY(db::sessions::list(tx, {.sgc_id = sgc_id, .live_only = true},
                                           db::Page{.size = kLiveSessions}));
  for (const Session& session : live) {
    // A stop waits behind a restore that is at work, so `stopping` alone does not say that it is
    // over; that the game has run does.
    if (session.restored_from_backup_id == 0 || session.started_at != 0 ||
        session.status == SessionStatus::kRunning)
      continue;
    return fail(Code::kFailedPrecondition, session_of_sgc(session) + " is restoring backup " +
                                               std::to_string(session.restored_from_backup_id) +
                                               std::string(kOneAtATime));
  }
  return {};
}

Result<void> check_no_undo(db::Transaction& tx, int64_t sgc_id) {
  const auto undoing = TRY(db::sessions::undoing(tx, sgc_id));
  if (undoing.empty()) return {};
  return fail(Code::kFailedPrecondition, "the restore of " + session_of_sgc(undoing.front()) +
                                             " is being undone" + std::string(kOneAtATime));
}

}  // namespace manman::api
