#include "host/dispatch.h"

#include <memory>
#include <utility>

#include "host/backup_flow.h"
#include "host/cancel_flow.h"
#include "host/drill_flow.h"
#include "host/janitor.h"
#include "host/outcome.h"
#include "host/start_flow.h"
#include "host/stop_flow.h"
#include "host/undo_flow.h"

namespace manman::host {
namespace {

using Work = std::function<void(Context&, Job&)>;

// What each kind of job does, and the report that renews its lease, if it has one.
Result<Work> prepare_backup(Job& job, const std::string& body, int64_t server_id) {
  auto command = TRY(BackupCommand::parse(body));
  job.renewal = [command, server_id](const Progress& progress) {
    return message_of(backup_renewal(command, server_id, progress));
  };
  return [command](Context& context, Job& at_work) { run_backup(context, at_work, command); };
}

Result<Work> prepare_start(Job& job, const std::string& body, int64_t server_id) {
  auto command = TRY(StartSessionCommand::parse(body));
  job.renewal = [command, server_id](const Progress& progress) {
    return message_of(start_renewal(command, server_id, progress));
  };
  return [command](Context& context, Job& at_work) { run_start(context, at_work, command); };
}

Result<Work> prepare_stop(Job& job, const std::string& body, int64_t server_id) {
  auto command = TRY(SessionCommand::parse(body));
  job.renewal = [command, server_id](const Progress&) {
    return message_of(stop_renewal(command, server_id));
  };
  return [command](Context& context, Job& at_work) { run_stop(context, at_work, command); };
}

Result<Work> prepare_drill(Job& job, const std::string& body, int64_t server_id) {
  auto command = TRY(DrillCommand::parse(body));
  job.renewal = [command, server_id](const Progress& progress) {
    return message_of(drill_renewal(command, server_id, progress));
  };
  return [command](Context& context, Job& at_work) { run_drill(context, at_work, command); };
}

Result<Work> prepare_cancel(const std::string& body) {
  auto command = TRY(CancelBackupCommand::parse(body));
  return [command](Context& context, Job& at_work) { run_cancel(context, at_work, command); };
}

Result<Work> prepare_other(const std::string& body,
                           void (*flow)(Context&, Job&, const SessionCommand&)) {
  auto command = TRY(SessionCommand::parse(body));
  return [command, flow](Context& context, Job& at_work) { flow(context, at_work, command); };
}

Result<Work> prepare(Job& job, const Record& record, int64_t server_id) {
  switch (record.key.kind) {
    case JobKind::kBackup:
      return prepare_backup(job, record.command, server_id);
    case JobKind::kSession:
      return prepare_start(job, record.command, server_id);
    case JobKind::kStop:
      return prepare_stop(job, record.command, server_id);
    case JobKind::kUndo:
      return prepare_other(record.command, run_undo);
    case JobKind::kExpire:
      return prepare_other(record.command, run_expire);
    case JobKind::kCancel:
      return prepare_cancel(record.command);
    case JobKind::kDrill:
      return prepare_drill(job, record.command, server_id);
  }
  return fail(Code::kInternal, "unknown kind of job");
}

// A cancel waits neither for what it ends nor for what stands before that. Drills wait for one
// another alone.
int64_t lane_of(const Record& record) {
  if (record.key.kind == JobKind::kDrill) return kDrillLane;
  return record.key.kind == JobKind::kCancel ? -record.sgc_id : record.sgc_id;
}

}  // namespace

void schedule(Context& context, const Record& record) {
  auto job = std::make_shared<Job>();
  job->key = record.key;
  job->about = about(record.key, record.sgc_id, context.config.server_id);
  auto work = prepare(*job, record, context.config.server_id);
  if (!work) {
    log_error(job->about, "{} can't be done: {}", record.key.text(), work.error().message);
    return;
  }
  job->killed = record.key.kind == JobKind::kSession && record.stop_asked;
  job->progress.cancel = job->killed.load();
  context.jobs.add(job);
  if (record.key.kind == JobKind::kCancel) end_backup(context, record.key.id);
  context.lanes.post(lane_of(record), [&context, job, work = std::move(*work)] {
    if (context.stopping || job->begun.exchange(true)) return;
    work(context, *job);
    context.jobs.remove(job->key);
  });
}

}  // namespace manman::host
