#include "host/recovery.h"

#include "host/dispatch.h"
#include "host/hold.h"
#include "host/outcome.h"
#include "host/start_flow.h"
#include "host/stop_flow.h"

namespace manman::host {
namespace {

void resume_quiesced(Context& context, const Record& record) {
  const About what = about(record.key, record.sgc_id, context.config.server_id);
  const auto command = BackupCommand::parse(record.command);
  const auto game = context.sessions.running_in(record.sgc_id);
  if (!command || !game) return;
  log_info(what, "resumes the game that was left quiesced");
  const auto console = console_of(context, *game, command->launch);
  const auto resumed = console ? resume_game(**console, command->launch.handling.resume)
                               : Result<void>(std::unexpected(console.error()));
  if (!resumed) log_error(what, "the game may not save: {}", resumed.error().message);
}

void adopt_running(Context& context, const Record& record) {
  const auto command = StartSessionCommand::parse(record.command);
  if (command) return adopt(context, *command);
  log_error(about(record.key, record.sgc_id, context.config.server_id), "{}",
            command.error().message);
}

// The API gives a start up after a lease without a sign of the host. To begin it all the same, an
// hour or a week later, would surprise whoever has gone on since.
std::string why_too_late(Context& context, const Record& record) {
  if (record.key.kind != JobKind::kSession || !record.too_late.empty()) return record.too_late;
  const auto command = StartSessionCommand::parse(record.command);
  const auto silent = context.journal->silent_for();
  if (!command || command->lease_ms == 0 || silent.count() <= command->lease_ms) return "";
  return "not carried out: the host was away for " + std::to_string(silent.count() / 1000) +
         " s, and a start is given up after " + std::to_string(command->lease_ms / 1000) + " s";
}

void take_up(Context& context, const Record& record) {
  const std::string too_late = why_too_late(context, record);
  if (auto counted = context.journal->update(record.key,
                                             [&](Record& found) {
                                               found.starts++;
                                               found.too_late = too_late;
                                             });
      !counted)
    log_error(about(record.key, record.sgc_id, context.config.server_id), "{}",
              counted.error().message);
  schedule(context, record);
}

// A journal that lost a session must not make its game a stranger, whose data the next restore
// would replace under its feet.
void adopt_strangers(Context& context, const FoundGsc& found) {
  const auto names = folder_names(found.gsc.root);
  if (!names) return log_error({.sgc_id = found.gsc.sgc_id}, "{}", names.error().message);
  for (const std::string& name : *names) {
    const auto session_id = parse_numbered(name, "session-");
    if (!session_id || context.journal->find({JobKind::kSession, *session_id})) continue;
    const auto state = context.runtime.state(found.gsc.instance(*session_id));
    if (!state || state->kind != GameState::Kind::kRunning) continue;
    StartSessionCommand command;
    command.session_id = *session_id;
    command.sgc_id = found.gsc.sgc_id;
    command.launch.environment = found.environment;
    adopt_unknown(context, command);
  }
}

}  // namespace

void recover_from_disk(Context& context) {
  const auto records = context.journal->unfinished();
  for (const Record& record : records) {
    if (record.phase == Phase::kRunning) adopt_running(context, record);
  }
  const auto found = find_gsc_dirs(context.config.data_dir);
  if (!found) log_error({}, "{}", found.error().message);
  if (found) {
    for (const FoundGsc& each : *found) adopt_strangers(context, each);
  }
  for (const Record& record : records) {
    if (record.quiesced) resume_quiesced(context, record);
    if (record.phase == Phase::kFinal)
      deliver_outcome(context, record.key,
                      {.routing_key = record.report_key, .body = record.report_body});
    if (record.phase == Phase::kSwapping) take_up(context, record);
  }
}

void go_on_with_jobs(Context& context) {
  for (const Record& record : context.journal->unfinished()) {
    if (record.phase == Phase::kReceived) take_up(context, record);
  }
}

}  // namespace manman::host
