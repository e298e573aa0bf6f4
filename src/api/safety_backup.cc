#include "api/safety_backup.h"

#include <algorithm>
#include <limits>

#include "api/commands.h"
#include "api/events.h"
#include "api/new_backup.h"
#include "api/policy_runs.h"

namespace manman::api {
namespace {

// The lease of the backup is what counts meanwhile.
constexpr int64_t kNoLease = std::numeric_limits<int64_t>::max();

Result<void> begin_restore(const Context& context, db::Transaction& tx, Session session) {
  const Deployment deployment = TRY(deployment_of(tx, context.config.profiles, session.sgc_id));
  const Backup restored = TRY(db::backups::get(tx, session.restored_from_backup_id));
  const int64_t now_ms = context.clock.now_ms();
  if (!deployment.handled) {
    TRY(end_waiting(context, tx, session, SessionStatus::kCrashed,
                    deployment.handled.error().message + "; nothing was restored"));
    return {};
  }
  session.waits_for_backup_id = 0;
  session.lease_until_ms = now_ms + context.config.lease.count();
  TRY(db::sessions::update(tx, session));
  return order_start(tx, deployment, session, restored, now_ms, context.config.lease);
}

}  // namespace

Result<int64_t> begin_safety_backup(const Context& context, db::Transaction& tx,
                                    const Backup& restored) {
  if (restored.backup_id == 0) return 0;
  const auto policies = TRY(db::policies::of_sgc(tx, restored.sgc_id));
  const auto policy = std::ranges::find_if(policies, [](const BackupPolicy& each) {
    return each.schedule.before_restore && !each.paused;
  });
  if (policy == policies.end()) return 0;
  const int64_t now_s = context.clock.now_s();
  auto run = TRY(record_run(tx, *policy, RunTrigger::kBeforeRestore, now_s, now_s));
  const Backup backup = TRY(
      begin_backup(context, tx,
                   {.sgc_id = policy->sgc_id,
                    .description = "policy " + policy->name + ", before the restore of backup " +
                                   std::to_string(restored.backup_id),
                    .policy_id = policy->policy_id},
                   &*run));
  return backup.backup_id;
}

Result<Session> create_waiting(db::Transaction& tx, Session session, int64_t safety_backup_id) {
  session.waits_for_backup_id = safety_backup_id;
  session.lease_until_ms = kNoLease;
  session = TRY(db::sessions::create(tx, session));
  if (auto run = TRY(db::policy_runs::of_backup(tx, safety_backup_id))) {
    run->session_id = session.session_id;
    TRY(db::policy_runs::update(tx, *run));
  }
  return session;
}

Result<void> safety_backup_ended(const Context& context, db::Transaction& tx, const Backup& backup,
                                 bool no_data) {
  for (const Session& row : TRY(db::sessions::waiting_for(tx, backup.backup_id))) {
    const Session session = TRY(db::sessions::hold(tx, row.session_id));
    if (session.status != SessionStatus::kPending || session.waits_for_backup_id == 0) continue;
    if (backup.status == BackupStatus::kCompleted || no_data) {
      TRY(begin_restore(context, tx, session));
      continue;
    }
    const std::string why = backup.error_message.empty() ? "" : ": " + backup.error_message;
    TRY(end_waiting(context, tx, session, SessionStatus::kCrashed,
                    "backup " + std::to_string(backup.backup_id) +
                        " of the present data, which a " + "policy asks for before a restore, is " +
                        std::string(wire_text(backup.status)) + why +
                        "; nothing was restored (to restore all the same, pause that policy)"));
  }
  return {};
}

Result<Session> end_waiting(const Context& context, db::Transaction& tx, Session session,
                            SessionStatus status, const std::string& reason) {
  session.status = status;
  session.waits_for_backup_id = 0;
  session.ended_at = context.clock.now_s();
  session.error_message = reason;
  TRY(db::sessions::update(tx, session));
  TRY(note_session_ended(context, tx, session, context.actor));
  return session;
}

}  // namespace manman::api
