#include "api/commands.h"
#include "api/events.h"
#include "api/fields.h"
#include "api/rpc/answer.h"
#include "api/rpc/service.h"
#include "api/rpc/to_proto.h"
#include "api/safety_backup.h"
#include "base/failpoint.h"
#include "base/log.h"

namespace manman::api {
namespace {

// The row says so at once, for good: what its host reports later no longer counts.
Result<Backup> cancel(const Context& context, int64_t backup_id) {
  bool ended = false;
  const Backup cancelled =
      TRY(context.database.transact([&](db::Transaction& tx) -> Result<Backup> {
        ended = false;
        Backup row = TRY(db::backups::get(tx, backup_id));
        const auto after = next(row.status, BackupEvent::kCancel);
        if (!after)
          return fail(Code::kFailedPrecondition, "backup " + std::to_string(backup_id) +
                                                     " has ended already: it is " +
                                                     std::string(wire_text(row.status)));
        if (row.status == *after) return row;
        const int64_t now_ms = context.clock.now_ms();
        row.status = *after;
        row.finished_at = now_ms / 1000;
        TRY(db::backups::update(tx, row));
        TRY(order_cancel(tx, row, now_ms));
        TRY(safety_backup_ended(context, tx, row));
        TRY(note_end(context, tx, row, context.actor));
        ended = true;
        return row;
      }));
  if (ended) context.backup_ended(cancelled);
  return cancelled;
}

}  // namespace

grpc::Status Service::CancelBackup(grpc::ServerContext* call,
                                   const v1::CancelBackupRequest* request,
                                   v1::CancelBackupResponse* response) {
  return answer(call, "CancelBackup", [&](const Context& context) -> Result<void> {
    TRY(check_id("backup_id", request->backup_id()));
    const Backup backup = TRY(cancel(context, request->backup_id()));
    context.commands_waiting();
    log_info({.backup_id = backup.backup_id, .sgc_id = backup.sgc_id}, "backup cancelled");
    TRY(failpoint::pass("api.cancel_backup.committed"));
    to_proto(backup, response->mutable_backup());
    return {};
  });
}

}  // namespace manman::api
