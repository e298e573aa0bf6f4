#include "host/outcome.h"

#include "base/failpoint.h"
#include "base/log.h"

namespace manman::host {
namespace {

void on_delivered(Context& context, const JobKey& key) {
  const About what = about(key, 0, context.config.server_id);
  Result<void> passed;
  if (key.kind == JobKind::kBackup) passed = failpoint::pass("backup.reported");
  if (key.kind == JobKind::kDrill) passed = failpoint::pass("drill.reported");
  if (!passed) {
    log_error(what, "{}; reported again at the next start", passed.error().message);
    return;
  }
  if (auto finished = context.journal->finish(key); !finished)
    log_error(what, "{}; reported again at the next start", finished.error().message);
}

}  // namespace

void conclude(Context& context, const JobKey& key, const Message& report, bool remember) {
  record_outcome(context, key, report, remember);
  deliver_outcome(context, key, report);
}

void record_outcome(Context& context, const JobKey& key, const Message& report, bool remember) {
  auto recorded = context.journal->update(key, [&](Record& record) {
    record.phase = Phase::kFinal;
    record.quiesced = false;
    record.report_key = report.routing_key;
    record.report_body = report.body;
    record.remember = remember;
  });
  if (!recorded) log_error(about(key, 0, context.config.server_id), "{}", recorded.error().message);
}

void deliver_outcome(Context& context, const JobKey& key, const Message& report) {
  context.reporter.deliver(report, [&context, key] { on_delivered(context, key); });
}

Result<void> check_worth_a_try(Context& context, const JobKey& key) {
  constexpr int kMaxStarts = 10;
  const auto record = context.journal->find(key);
  if (!record || record->phase != Phase::kReceived || record->starts <= kMaxStarts) return {};
  return fail(Code::kAborted, "given up: the host manager has ended " +
                                  std::to_string(record->starts) + " times before this was done");
}

Message message_of(const BackupReport& report) {
  return {.routing_key = backup_status_key(report.backup_id), .body = report.to_json()};
}

Message message_of(const SessionReport& report) {
  return {.routing_key = session_status_key(report.session_id), .body = report.to_json()};
}

Message message_of(const DrillReport& report) {
  return {.routing_key = drill_status_key(report.drill_id), .body = report.to_json()};
}

}  // namespace manman::host
