#include "api/new_backup.h"

#include "api/commands.h"
#include "api/events.h"
#include "api/limits.h"
#include "api/sgc_state.h"
#include "base/unique_name.h"

namespace manman::api {

Result<Backup> begin_backup(const Context& context, db::Transaction& tx, const BackupWish& wish,
                            PolicyRun* run) {
  const Deployment deployment =
      TRY(deployment_of(tx, context.config.profiles, wish.sgc_id, wish.policy_id));
  TRY(check_no_restore(tx, wish.sgc_id));
  TRY(check_no_undo(tx, wish.sgc_id));

  TRY(check_limits(context, tx, deployment));
  if (wish.manual) TRY(check_manual_rate(context, tx, deployment));

  const int64_t now_ms = context.clock.now_ms();
  Backup row{.session_id = wish.session_id, .sgc_id = wish.sgc_id};
  if (row.session_id == 0) row.session_id = TRY(live_session(tx, wish.sgc_id))
  .session_id;
  row.description = wish.description;
  row.compression = TRY(Compression::parse(wish.format, wish.level, deployment.compression));
  row.created_at = now_ms / 1000;
  row.lease_until_ms = now_ms + context.config.lease.count();
  row.policy_id = wish.policy_id;
  row.mark = unique_name();
  auto made = db::backups::create(tx, row, context.store.bucket());
  if (!made) TRY(check_no_backup(tx, wish.sgc_id));
  row = TRY(std::move(made));
  if (run != nullptr) {
    run->outcome = RunOutcome::kStarted;
    run->reason.clear();
    run->backup_id = row.backup_id;
    run->at = now_ms / 1000;
    TRY(db::policy_runs::update(tx, *run));
  }
  TRY(order_backup(tx, deployment, row, now_ms));
  TRY(note_event(context, tx,
                 {.kind = wish.manual ? EventKind::kBackupOrdered : EventKind::kBackupDue,
                  .server_id = deployment.server.server_id,
                  .sgc_id = row.sgc_id,
                  .session_id = row.session_id,
                  .backup_id = row.backup_id,
                  .policy_id = row.policy_id,
                  .message = row.description}));
  return row;
}

}  // namespace manman::api
