#include "api/events.h"
#include "api/policy_runs.h"
#include "api/safety_backup.h"
#include "api/status/apply.h"
#include "base/log.h"
#include "db/repositories.h"
#include "domain/object_url.h"

namespace manman::api {
namespace {

std::string name_of(const BackupReport& report) {
  return "backup " + std::to_string(report.backup_id);
}

std::unexpected<Error> contradiction(const BackupReport& report, const std::string& what) {
  return fail(Code::kInvalidArgument, name_of(report) + ": " + what);
}

Result<BackupEvent> event_of(const BackupReport& report) {
  if (report.status == "running") return BackupEvent::kHostRunning;
  if (report.status == "completed") return BackupEvent::kHostCompleted;
  if (report.status == "failed") return BackupEvent::kHostFailed;
  return contradiction(report, "status '" + report.status + "' is not one of a backup");
}

// A report that would make the row say something untrue, whatever its state.
Result<void> check_against(db::Transaction& tx, const BackupReport& report, const Backup& row) {
  const auto sgc = TRY(db::server_game_configs::get(tx, row.sgc_id));
  if (report.server_id != 0 && report.server_id != sgc.server_id)
    return contradiction(report, "reported by server " + std::to_string(report.server_id) +
                                     ", but it is the job of server " +
                                     std::to_string(sgc.server_id));
  if (report.status != "completed") return {};
  if (!report.s3_url.empty() && report.s3_url != row.s3_url)
    return contradiction(report, "stored as " + report.s3_url + ", but its row says " + row.s3_url);
  if (report.size_bytes <= 0) return contradiction(report, "completed with no size_bytes");
  return {};
}

void take_progress(const BackupReport& report, Backup& row) {
  row.progress_bytes = std::max(report.progress_bytes, row.progress_bytes);
  if (report.total_bytes > 0) row.total_bytes = report.total_bytes;
}

void take_over(const Context& context, const BackupReport& report, BackupEvent event, Backup& row) {
  const int64_t now_ms = context.clock.now_ms();
  if (row.started_at == 0) row.started_at = now_ms / 1000;
  take_progress(report, row);
  row.error_message = report.error_message;
  if (!report.warnings.empty()) row.warnings = report.warnings;
  if (event == BackupEvent::kHostRunning) {
    row.lease_until_ms = now_ms + context.config.lease.count();
    return;
  }
  row.finished_at = now_ms / 1000;
  if (event == BackupEvent::kHostFailed) {
    if (row.error_message.empty()) row.error_message = "the host gave no reason";
    return;
  }
  row.size_bytes = report.size_bytes;
  row.sha256 = report.sha256;
  row.entries = report.entries;
  row.compression = report.compression;
  row.verdict = report.verdict;
  row.fingerprint = report.fingerprint;
  row.verification.looked_at = row.finished_at;  // by the host, at what the store holds
}

// The look that it needs before it is counted on, as its policy has it now, or else the service.
Result<VerifiedHow> look_after_upload(const Context& context, db::Transaction& tx,
                                      const Backup& row) {
  if (row.policy_id != 0) {
    const auto policy = db::policies::get(tx, row.policy_id);
    if (!policy && policy.error().code != Code::kNotFound) return std::unexpected(policy.error());
    if (policy && policy->verify.after_upload) return *policy->verify.after_upload;
  }
  return context.config.verify.after_upload;
}

// No backup was needed. The row goes and the run says why, unless the backup that is to stand for
// it is gone by now: then the run is made again.
Result<bool> take_skip(const Context& context, db::Transaction& tx, const BackupReport& report,
                       const Backup& row) {
  if (!report.skipped || row.policy_id == 0) return false;
  auto run = TRY(db::policy_runs::of_backup(tx, row.backup_id));
  if (!run || !may_be_skipped(run->trigger)) return false;
  bool stands = report.unchanged_since_backup_id == 0;
  if (!stands) {
    const auto other = db::backups::hold(tx, report.unchanged_since_backup_id);
    if (!other && other.error().code != Code::kNotFound) return std::unexpected(other.error());
    stands = other && other->sgc_id == row.sgc_id && other->status == BackupStatus::kCompleted &&
             other->verification.failed_at == 0;
  }
  const int64_t now_s = context.clock.now_s();
  run->backup_id = 0;
  run->look_again_at = now_s;
  TRY(db::backups::remove(tx, row.backup_id));
  TRY(conclude_run(context, tx, *run, stands ? RunOutcome::kSkipped : RunOutcome::kWaiting,
                   stands ? report.error_message
                          : "backup " + std::to_string(report.unchanged_since_backup_id) +
                                " is gone or damaged by now"));
  return true;
}

// The object of a backup that is cancelled or being deleted: a host may complete an upload after
// that. Where there is no row at all nothing is removed: it may be of a database that was lost, and
// all that is left of a world. The audit tells of it.
std::optional<OwnedObject> object_of_gone(const Context& context, const BackupReport& report,
                                          const Backup& row) {
  if (row.status != BackupStatus::kDeleting && row.status != BackupStatus::kCancelled)
    return std::nullopt;
  const auto url = ObjectUrl::parse(row.s3_url);
  if (!url || url->bucket != context.store.bucket() || report.s3_url != row.s3_url)
    return std::nullopt;
  return OwnedObject{url->key, row.mark};
}

struct Outcome {
  Effect effect = Effect::kApplied;
  std::optional<OwnedObject> of_gone = std::nullopt;
  std::optional<Backup> ended = std::nullopt;
};

Result<Outcome> apply_in(const Context& context, db::Transaction& tx, const BackupReport& report,
                         BackupEvent event) {
  auto found = db::backups::hold(tx, report.backup_id);
  if (!found && found.error().code == Code::kNotFound)
    return Outcome{.effect = Effect::kUnknownRow};
  Backup row = TRY(std::move(found));
  // Ids start anew with a new database: it is of one that was lost.
  if (!row.mark.empty() && !report.mark.empty() && row.mark != report.mark)
    return Outcome{.effect = Effect::kUnknownRow};
  TRY(check_against(tx, report, row));
  const auto of_gone = object_of_gone(context, report, row);
  const auto after = next(row.status, event);
  if (row.attempt != report.attempt || !after) return Outcome{Effect::kIgnored, of_gone};
  if (TRY(take_skip(context, tx, report, row))) return Outcome{Effect::kApplied, of_gone};
  row.status = *after;
  take_over(context, report, event, row);
  if (row.status == BackupStatus::kCompleted)
    row.verification.due = TRY(look_after_upload(context, tx, row));
  TRY(db::backups::update(tx, row));
  if (row.status == BackupStatus::kCompleted)
    TRY(db::retention_queue::add(tx, row.sgc_id, context.clock.now_s()));
  if (is_active(row.status)) return Outcome{Effect::kApplied, of_gone};
  TRY(safety_backup_ended(context, tx, row, report.skipped));
  TRY(note_end(context, tx, row, "host"));
  return Outcome{Effect::kApplied, of_gone, std::move(row)};
}

}  // namespace

Result<Effect> apply(const Context& context, const BackupReport& report) {
  const BackupEvent event = TRY(event_of(report));
  const Outcome outcome =
      TRY(context.database.transact(db::Isolation::kStatement, [&](db::Transaction& tx) {
        return apply_in(context, tx, report, event);
      }));
  if (outcome.of_gone && event == BackupEvent::kHostCompleted)
    context.object_orphaned(*outcome.of_gone);
  if (event != BackupEvent::kHostRunning) context.commands_waiting();
  if (outcome.ended) context.backup_ended(*outcome.ended);
  if (outcome.effect == Effect::kApplied && event != BackupEvent::kHostRunning)
    log_info({.backup_id = report.backup_id}, "{}{}{}", report.status,
             report.error_message.empty() ? "" : ": ", report.error_message);
  return outcome.effect;
}

}  // namespace manman::api
