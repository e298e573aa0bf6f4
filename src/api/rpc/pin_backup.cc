#include "api/events.h"
#include "api/fields.h"
#include "api/rpc/answer.h"
#include "api/rpc/service.h"
#include "api/rpc/to_proto.h"
#include "base/log.h"
#include "db/repositories.h"

namespace manman::api {
namespace {

Result<Backup> pin(const Context& context, int64_t backup_id, bool pinned) {
  return context.database.transact([&](db::Transaction& tx) -> Result<Backup> {
    Backup row = TRY(db::backups::hold(tx, backup_id));
    if (pinned && row.status != BackupStatus::kCompleted && !is_active(row.status))
      return fail(Code::kFailedPrecondition, "backup " + std::to_string(backup_id) + " is " +
                                                 std::string(wire_text(row.status)) +
                                                 ": there is nothing to keep");
    if (row.pinned == pinned) return row;
    row.pinned = pinned;
    TRY(db::backups::update(tx, row));
    if (!pinned) TRY(db::retention_queue::add(tx, row.sgc_id, context.clock.now_s()));
    TRY(note_event(context, tx,
                   {.kind = pinned ? EventKind::kBackupPinned : EventKind::kBackupUnpinned,
                    .sgc_id = row.sgc_id,
                    .backup_id = row.backup_id}));
    return row;
  });
}

}  // namespace

grpc::Status Service::PinBackup(grpc::ServerContext* call, const v1::PinBackupRequest* request,
                                v1::PinBackupResponse* response) {
  return answer(call, "PinBackup", [&](const Context& context) -> Result<void> {
    TRY(check_id("backup_id", request->backup_id()));
    const Backup backup = TRY(pin(context, request->backup_id(), !request->unpin()));
    log_info({.backup_id = backup.backup_id, .sgc_id = backup.sgc_id}, "backup {}pinned",
             request->unpin() ? "un" : "");
    to_proto(backup, response->mutable_backup());
    return {};
  });
}

}  // namespace manman::api
