#include "host/stop_flow.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/failpoint.h"
#include "host/end_game.h"
#include "host/outcome.h"
#include "host/start_flow.h"

namespace manman::host {
namespace {

JobKey session_key(int64_t session_id) {
  return {JobKind::kSession, session_id};
}

// So that the end, when it comes, is no crash; also when another process sees it.
Result<void> note_stop_asked(Context& context, int64_t session_id) {
  TRY(context.journal->update(session_key(session_id),
                              [](Record& record) { record.stop_asked = true; }));
  return {};
}

SessionReport stopped_report(const Context& context, int64_t session_id, int64_t sgc_id) {
  SessionReport report;
  report.session_id = session_id;
  report.sgc_id = sgc_id;
  report.server_id = context.config.server_id;
  report.status = "stopped";
  return report;
}

class StopFlow {
 public:
  StopFlow(Context& context, Job& job, const SessionCommand& command)
      : context_(context),
        job_(job),
        command_(command),
        game_(
            context.gsc(command.launch.environment, command.sgc_id).instance(command.session_id)) {}

  void run();

 private:
  void find_unwatched();
  bool end();
  void report_ended();
  Message end_report();
  void finish();

  Context& context_;
  Job& job_;
  const SessionCommand& command_;
  const GameInstance game_;
};

void StopFlow::run() {
  find_unwatched();
  if (!context_.sessions.find(command_.session_id)) return report_ended();
  if (auto noted = note_stop_asked(context_, command_.session_id); !noted)
    log_error(job_.about, "{}; the end may be shown as a crash", noted.error().message);
  const bool ended = end();
  if (!ended && context_.stopping) return;  // asked again at the next start
  if (!ended) log_error(job_.about, "the game does not end, not even killed");
  finish();
}

void StopFlow::find_unwatched() {
  if (context_.sessions.find(command_.session_id)) return;
  const auto state = context_.runtime.state(game_);
  if (!state || state->kind != GameState::Kind::kRunning) return;
  StartSessionCommand start;
  start.session_id = command_.session_id;
  start.sgc_id = command_.sgc_id;
  start.launch = command_.launch;
  adopt_unknown(context_, start);
}

bool StopFlow::end() {
  const WaitForEnd wait = [this](std::chrono::milliseconds duration) {
    return context_.sessions.wait_for_end(command_.session_id, duration);
  };
  if (command_.kind == SessionCommand::Kind::kKill)
    return kill_game(context_, job_.about, game_, wait);
  return end_game(context_, job_.about, game_, command_.launch.handling, wait);
}

// The record goes when the report has arrived; one that is on its way by itself is left alone.
void StopFlow::report_ended() {
  const auto session = context_.journal->find(session_key(command_.session_id));
  if (session && session->phase == Phase::kFinal) return finish();
  context_.reporter.deliver(end_report(), [&context = context_, key = job_.key] {
    if (auto finished = context.journal->finish(key); !finished)
      log_error(about(key, 0, context.config.server_id), "{}", finished.error().message);
  });
}

Message StopFlow::end_report() {
  const auto done = context_.journal->find_done(session_key(command_.session_id));
  if (done && !done->report_key.empty())
    return {.routing_key = done->report_key, .body = done->report_body};
  SessionReport report = stopped_report(context_, command_.session_id, command_.sgc_id);
  const auto state = context_.runtime.state(game_);
  if (state && state->kind == GameState::Kind::kExited) {
    report.exit_code = state->exit_code;
  } else {
    report.error_message = "the game was not running";
  }
  return message_of(report);
}

void StopFlow::finish() {
  if (auto finished = context_.journal->finish(job_.key); !finished)
    log_error(job_.about, "{}", finished.error().message);
}

// What a session shows after its game has ended: status, exit code and why.
SessionReport end_report(const Context& context, const GameInstance& game, const GameState& state,
                         bool stop_asked) {
  SessionReport report = stopped_report(context, game.session_id, game.sgc_id);
  report.exit_code = state.exit_code;
  const bool known = state.kind == GameState::Kind::kExited;
  if (stop_asked) return report;
  report.status = known && state.exit_code == 0 ? "completed" : "crashed";
  if (!known) {
    report.error_message = "ended while manman was not watching; exit code unknown";
  } else if (state.signal != 0) {
    report.error_message = "killed by signal " + std::to_string(state.signal);
  } else if (state.exit_code != 0) {
    report.error_message = "exit code " + std::to_string(state.exit_code);
  }
  return report;
}

}  // namespace

void run_stop(Context& context, Job& job, const SessionCommand& command) {
  StopFlow(context, job, command).run();
}

SessionReport stop_renewal(const SessionCommand& command, int64_t server_id) {
  SessionReport report;
  report.session_id = command.session_id;
  report.sgc_id = command.sgc_id;
  report.server_id = server_id;
  report.status = "stopping";
  return report;
}

Result<bool> kill_now(Context& context, const SessionCommand& command) {
  const JobKey key = session_key(command.session_id);
  const auto starting = context.jobs.find(key);
  if (starting) {
    TRY(note_stop_asked(context, command.session_id));
    starting->killed = true;
    starting->progress.cancel = true;
  }
  const auto game = context.sessions.find(command.session_id);
  if (!game) return starting != nullptr;
  if (auto noted = note_stop_asked(context, command.session_id); !noted)
    log_error(about(key, command.sgc_id, 0), "{}; the end may be shown as a crash",
              noted.error().message);
  TRY(context.runtime.kill(*game));
  return true;
}

void report_end(Context& context, const GameInstance& game, const GameState& state) {
  const JobKey key = session_key(game.session_id);
  const About what = about(key, game.sgc_id, context.config.server_id);
  const auto record = context.journal->find(key);
  const bool stop_asked = record && record->stop_asked;
  if (stop_asked) {
    if (auto passed = failpoint::pass("session.stopped"); !passed)
      log_error(what, "{}", passed.error().message);
  }
  const SessionReport report = end_report(context, game, state, stop_asked);
  log_info(what, "the game ended: {}, exit code {}", report.status, report.exit_code);
  conclude(context, key, message_of(report));
}

void adopt_unknown(Context& context, const StartSessionCommand& command) {
  const JobKey key{JobKind::kSession, command.session_id};
  const About what = about(key, command.sgc_id, context.config.server_id);
  log_warn(what, "a game runs that the journal does not know; watched from now on");
  Record record;
  record.key = key;
  record.sgc_id = command.sgc_id;
  record.command = command.to_json();
  record.phase = Phase::kRunning;
  if (auto added = context.journal->add(std::move(record));
      !added && added.error().code != Code::kAlreadyExists)
    log_error(what, "{}", added.error().message);
  adopt(context, command);
}

}  // namespace manman::host
