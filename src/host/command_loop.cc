#include "host/command_loop.h"

#include <utility>

#include "base/failpoint.h"
#include "domain/messages.h"
#include "host/backup_flow.h"
#include "host/cancel_flow.h"
#include "host/dispatch.h"
#include "host/outcome.h"
#include "host/start_flow.h"
#include "host/stop_flow.h"

namespace manman::host {
namespace {

Result<void> check_target(int64_t sgc_id, const std::string& environment) {
  if (sgc_id <= 0) return fail(Code::kInvalidArgument, "field sgc_id must be above 0");
  return check_environment(environment);
}

JobKind kind_of(SessionCommand::Kind kind) {
  return kind == SessionCommand::Kind::kUndoRestore ? JobKind::kUndo : JobKind::kStop;
}

}  // namespace

Result<std::unique_ptr<Subscription>> CommandLoop::subscribe(Bus& bus) {
  const int64_t server_id = context_.config.server_id;
  return bus.subscribe(command_queue(server_id), {command_key(server_id, "#")},
                       [this](const Message& message) { return handle(message); });
}

// What can never be done is rejected; what could not be done now (a journal that can't be written)
// comes again.
Handled CommandLoop::handle(const Message& message) {
  if (context_.stopping) return {Verdict::kRetry, "the host stops"};
  const auto taken = guarded([&] { return take(message); });
  if (taken) return {};
  const Error& error = taken.error();
  const About what{.server_id = context_.config.server_id};
  if (error.code == Code::kInvalidArgument) {
    log_error(what, "{} is rejected: {}", message.routing_key, error.message);
    return {Verdict::kReject, error.message};
  }
  log_error(what, "{} is not taken yet: {}", message.routing_key, error.message);
  return {Verdict::kRetry, error.message};
}

Result<void> CommandLoop::take(const Message& message) {
  TRY(failpoint::pass("host.command.received"));
  const std::string name = TRY(command_name(message.body));
  if (name == "backup_session") return take_backup(message.body);
  if (name == "cancel_backup") return take_cancel(message.body);
  if (name == "drill_backup") return take_drill(message.body);
  if (name == "start_session" || name == "start_session_with_paths")
    return take_start(message.body);
  if (name == "send_input") return send_input(message.body);
  if (name == "stop_session" || name == "kill_session" || name == "undo_restore")
    return take_session(message.body);
  return fail(Code::kInvalidArgument, "unknown command '" + name + "'");
}

Result<void> CommandLoop::take_backup(const std::string& body) {
  const auto command = TRY(BackupCommand::parse(body));
  TRY(check_target(command.sgc_id, command.launch.environment));
  if (is_cancelled(context_, command.backup_id, command.s3_url)) {
    refuse_cancelled(command);
    return {};
  }
  Record record;
  record.key = {JobKind::kBackup, command.backup_id, command.attempt};
  record.sgc_id = command.sgc_id;
  record.command = body;
  return take_job(std::move(record));
}

// It came late, or again. Should it be of another database, whose row waits, this is its end.
void CommandLoop::refuse_cancelled(const BackupCommand& command) {
  log_info({.backup_id = command.backup_id, .sgc_id = command.sgc_id}, "cancelled before it came");
  BackupReport report = backup_renewal(command, context_.config.server_id, Progress());
  report.status = "failed";
  report.error_message = "cancelled before it began";
  context_.reporter.deliver(message_of(report), {});
}

Result<void> CommandLoop::take_cancel(const std::string& body) {
  const auto command = TRY(CancelBackupCommand::parse(body));
  Record record;
  record.key = {JobKind::kCancel, command.backup_id};
  record.sgc_id = command.sgc_id;
  record.command = body;
  return take_job(std::move(record));
}

Result<void> CommandLoop::take_drill(const std::string& body) {
  const auto command = TRY(DrillCommand::parse(body));
  TRY(check_target(command.sgc_id, command.launch.environment));
  Record record;
  record.key = {JobKind::kDrill, command.drill_id};
  record.sgc_id = command.sgc_id;
  record.command = body;
  return take_job(std::move(record));
}

Result<void> CommandLoop::take_start(const std::string& body) {
  const auto command = TRY(StartSessionCommand::parse(body));
  TRY(check_target(command.sgc_id, command.launch.environment));
  Record record;
  record.key = {JobKind::kSession, command.session_id};
  record.sgc_id = command.sgc_id;
  record.command = body;
  if (TRY(is_another_session(record, command))) {
    refuse_session(command);
    return {};
  }
  return take_job(std::move(record));
}

// Ids start anew with a new database. A folder of this number that is not this command's doing is
// that of a session of old: what it says of its game would be taken for this one's, and the data
// not restored.
Result<bool> CommandLoop::is_another_session(const Record& record,
                                             const StartSessionCommand& command) {
  if (context_.journal->find(record.key)) return false;
  const auto done = context_.journal->find_done(record.key);
  if (done && done->command == record.command) return false;
  const GscDir gsc = context_.gsc(command.launch.environment, command.sgc_id);
  return folder_exists(gsc.session(command.session_id));
}

void CommandLoop::refuse_session(const StartSessionCommand& command) {
  SessionReport report = start_renewal(command, context_.config.server_id, Progress());
  report.status = "crashed";
  report.error_message =
      "this host has had another session " + std::to_string(command.session_id) +
      " of this SGC, of a database that is gone; nothing was started or restored: "
      "start another session, whose number is the next one";
  log_error({.session_id = command.session_id, .sgc_id = command.sgc_id}, "{}",
            report.error_message);
  context_.reporter.deliver(message_of(report), {});
}

Result<void> CommandLoop::take_session(const std::string& body) {
  const auto command = TRY(SessionCommand::parse(body));
  TRY(check_target(command.sgc_id, command.launch.environment));
  if (command.kind == SessionCommand::Kind::kKill && TRY(kill_now(context_, command))) return {};
  Record record;
  record.key = {kind_of(command.kind), command.session_id};
  record.sgc_id = command.sgc_id;
  record.command = body;
  record.remember = false;
  return take_job(std::move(record));
}

// Input is for the moment: to a game that does not run, or does not read, it is lost.
Result<void> CommandLoop::send_input(const std::string& body) {
  const auto command = TRY(SendInputCommand::parse(body));
  TRY(check_target(command.sgc_id, command.environment));
  const GscDir gsc = context_.gsc(command.environment, command.sgc_id);
  const auto sent = context_.runtime.send_input(gsc.instance(command.session_id), command.input);
  if (!sent)
    log_warn({.session_id = command.session_id, .sgc_id = command.sgc_id},
             "input of {} bytes is lost: {}", command.input.size(), sent.error().message);
  return {};
}

Result<void> CommandLoop::take_job(Record record) {
  const About what = about(record.key, record.sgc_id, context_.config.server_id);
  if (context_.journal->find(record.key)) {
    log_info(what, "{} came again; it is at work", record.key.text());
    return {};
  }
  // Ids start anew with a new database, so a remembered job counts only for the very same command.
  const auto done = context_.journal->find_done(record.key);
  if (done && done->command == record.command) {
    log_info(what, "{} came again; it is done", record.key.text());
    if (!done->report_key.empty())
      context_.reporter.deliver({.routing_key = done->report_key, .body = done->report_body}, {});
    return {};
  }
  TRY(context_.journal->add(record));
  log_info(what, "{} taken", record.key.text());
  schedule(context_, record);
  return failpoint::pass("host.command.journaled");
}

}  // namespace manman::host
