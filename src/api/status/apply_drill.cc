#include "api/archive_check.h"
#include "api/drills.h"
#include "api/status/apply.h"
#include "db/repositories.h"

namespace manman::api {
namespace {

std::unexpected<Error> contradiction(const DrillReport& report, const std::string& what) {
  return fail(Code::kInvalidArgument, "drill " + std::to_string(report.drill_id) + ": " + what);
}

Result<DrillEvent> event_of(const DrillReport& report) {
  if (report.status == "running") return DrillEvent::kHostRunning;
  if (report.status == "passed") return DrillEvent::kHostPassed;
  if (report.status == "failed") return DrillEvent::kHostFailed;
  if (report.status == "given-up") return DrillEvent::kHostGaveUp;
  return contradiction(report, "status '" + report.status + "' is not one of a drill");
}

Result<void> check_against(const DrillReport& report, const Drill& row) {
  if (report.backup_id != row.backup_id)
    return contradiction(report, "reported of backup " + std::to_string(report.backup_id) +
                                     ", but it is one of backup " + std::to_string(row.backup_id));
  if (report.server_id != 0 && row.server_id != 0 && report.server_id != row.server_id)
    return contradiction(report, "reported by server " + std::to_string(report.server_id) +
                                     ", but it is the job of server " +
                                     std::to_string(row.server_id));
  return {};
}

void take_over(const Context& context, const DrillReport& report, Drill& row) {
  const int64_t now_ms = context.clock.now_ms();
  if (row.started_at == 0) row.started_at = now_ms / 1000;
  row.progress_bytes = report.progress_bytes;
  row.total_bytes = report.total_bytes;
  if (is_active(row.status)) {
    row.lease_until_ms = now_ms + context.config.lease.count();
    return;
  }
  row.finished_at = now_ms / 1000;
  row.error_message = report.error_message;
  row.findings = report.findings;
  row.finding_count = report.finding_count;
  row.examined = report.examined;
  row.unexamined_count = report.unexamined_count;
  if (row.error_message.empty() && row.status != DrillStatus::kPassed)
    row.error_message = "the host gave no reason";
}

// What the drill says of its backup; nothing when it was given up.
Result<void> note_drilled(const Context& context, db::Transaction& tx, const Backup& backup,
                          const Drill& drill) {
  if (drill.status != DrillStatus::kPassed && drill.status != DrillStatus::kFailed) return {};
  Result<void> outcome;
  if (drill.status == DrillStatus::kFailed)
    outcome = fail(Code::kDataLoss,
                   "drill " + std::to_string(drill.drill_id) + ": " + drill.error_message);
  TRY(record_look(context, tx, backup, VerifiedHow::kDrill, drill.started_at, outcome));
  return {};
}

struct Outcome {
  Effect effect = Effect::kApplied;
  std::optional<Drill> ended = std::nullopt;
};

// The backup's row is held first, as by whoever deletes it.
Result<Outcome> apply_in(const Context& context, db::Transaction& tx, const DrillReport& report,
                         DrillEvent event) {
  const auto found = db::drills::get(tx, report.drill_id);
  if (!found && found.error().code == Code::kNotFound) return Outcome{Effect::kUnknownRow};
  if (!found) return std::unexpected(found.error());
  const auto backup = db::backups::hold(tx, found->backup_id);
  if (!backup && backup.error().code == Code::kNotFound) return Outcome{Effect::kUnknownRow};
  if (!backup) return std::unexpected(backup.error());
  Drill row = TRY(db::drills::hold(tx, report.drill_id));
  TRY(check_against(report, row));
  const auto after = next(row.status, event);
  if (!after || backup->status != BackupStatus::kCompleted) return Outcome{Effect::kIgnored};
  row.status = *after;
  take_over(context, report, row);
  TRY(db::drills::update(tx, row));
  TRY(note_drilled(context, tx, *backup, row));
  if (is_active(row.status)) return Outcome{};
  return Outcome{Effect::kApplied, std::move(row)};
}

}  // namespace

Result<Effect> apply(const Context& context, const DrillReport& report) {
  const DrillEvent event = TRY(event_of(report));
  const Outcome outcome =
      TRY(context.database.transact(db::Isolation::kStatement, [&](db::Transaction& tx) {
        return apply_in(context, tx, report, event);
      }));
  if (outcome.ended) drill_ended(context, *outcome.ended);
  return outcome.effect;
}

}  // namespace manman::api
