#include "host/start_flow.h"

#include <string>
#include <utility>

#include "base/failpoint.h"
#include "base/file.h"
#include "host/outcome.h"
#include "host/restore_flow.h"

namespace manman::host {
namespace {

class StartFlow {
 public:
  StartFlow(Context& context, Job& job, const StartSessionCommand& command)
      : context_(context),
        job_(job),
        command_(command),
        gsc_(context.gsc(command.launch.environment, command.sgc_id)),
        game_(gsc_.instance(command.session_id)) {}

  void run();

 private:
  Result<void> start();
  Result<bool> was_launched();
  Result<void> check_may_start();
  bool swap_has_begun() const;
  Result<void> check_in_time();
  Result<void> prepare_data();
  Result<void> launch();
  void journal_running();
  void conclude_not_started(const Error& error);

  Context& context_;
  Job& job_;
  const StartSessionCommand& command_;
  const GscDir gsc_;
  const GameInstance game_;
};

void StartFlow::run() {
  const auto started = guarded([this] { return start(); });
  if (started) {
    adopt(context_, command_);
    // A kill that came while the game was being launched found nothing to kill yet.
    if (!job_.killed) return;
    if (auto killed = context_.runtime.kill(game_); !killed)
      log_error(job_.about, "kill: {}", killed.error().message);
    return;
  }
  if (context_.stopping && !job_.killed) return;  // goes on at the next start
  conclude_not_started(started.error());
}

Result<void> StartFlow::start() {
  TRY(gsc_.ensure());
  if (!TRY(was_launched())) {
    TRY(check_may_start());
    TRY(check_worth_a_try(context_, job_.key));
    if (!swap_has_begun()) TRY(check_in_time());
    context_.reporter.offer(job_.renewal(job_.progress));
    TRY(prepare_data());
    TRY(check_in_time());
    TRY(job_.progress.check());
    TRY(launch());
  }
  journal_running();
  return {};
}

// A crash after the launch, before the journal said so: the game must not be started, nor its data
// restored, a second time.
Result<bool> StartFlow::was_launched() {
  const GameState state = TRY(context_.runtime.state(game_));
  return state.kind != GameState::Kind::kNever;
}

Result<void> StartFlow::check_may_start() {
  const auto other = context_.sessions.running_in(command_.sgc_id);
  if (!other) return {};
  return fail(Code::kFailedPrecondition, "session " + std::to_string(other->session_id) +
                                             " of SGC " + std::to_string(command_.sgc_id) +
                                             " still runs here");
}

// Then the data goes all the way, whatever becomes of the game.
bool StartFlow::swap_has_begun() const {
  const auto record = context_.journal->find(job_.key);
  return record && record->phase == Phase::kSwapping;
}

Result<void> StartFlow::check_in_time() {
  const auto record = context_.journal->find(job_.key);
  if (!record || record->too_late.empty()) return {};
  return fail(Code::kAborted, record->too_late);
}

Result<void> StartFlow::prepare_data() {
  if (command_.restore_backup_id != 0)
    return in("restore of backup " + std::to_string(command_.restore_backup_id),
              restore(context_, job_, command_));
  return make_dirs(gsc_.game());
}

Result<void> StartFlow::launch() {
  TRY(failpoint::pass("session.starting"));
  TRY(context_.runtime.start(game_, program_of(command_.launch)));
  return {};
}

// A journal that can't be written does not end a game that runs: the next start of the host finds
// it launched all the same.
void StartFlow::journal_running() {
  const std::string replaced = replaced_by(context_, job_.key, command_);
  auto updated = context_.journal->update(job_.key, [&](Record& record) {
    record.phase = Phase::kRunning;
    record.replaced_data = replaced;
  });
  if (!updated) log_error(job_.about, "{}", updated.error().message);
  if (auto passed = failpoint::pass("session.launched"); !passed)
    log_error(job_.about, "{}", passed.error().message);
}

void StartFlow::conclude_not_started(const Error& error) {
  SessionReport report = start_renewal(command_, context_.config.server_id, job_.progress);
  report.replaced_data = replaced_by(context_, job_.key, command_);
  if (job_.killed) {
    report.status = "stopped";
    report.error_message = "killed before the game ran";
    log_info(job_.about, "{}", report.error_message);
  } else {
    report.status = "crashed";
    report.error_message = error.text();
    log_error(job_.about, "could not start: {}", error.message);
  }
  conclude(context_, job_.key, message_of(report));
}

void report_running(Context& context, const JobKey& key, const StartSessionCommand& command) {
  SessionReport report = start_renewal(command, context.config.server_id, Progress());
  report.status = "running";
  if (const auto record = context.journal->find(key)) report.replaced_data = record->replaced_data;
  context.reporter.deliver(message_of(report), [what = about(key, command.sgc_id, 0)] {
    if (auto passed = failpoint::pass("session.reported"); !passed)
      log_error(what, "{}", passed.error().message);
  });
}

}  // namespace

void run_start(Context& context, Job& job, const StartSessionCommand& command) {
  StartFlow(context, job, command).run();
}

void adopt(Context& context, const StartSessionCommand& command) {
  const JobKey key{JobKind::kSession, command.session_id};
  const About what = about(key, command.sgc_id, context.config.server_id);
  report_running(context, key, command);
  const GscDir gsc = context.gsc(command.launch.environment, command.sgc_id);
  log_info(what, "the game runs");
  if (auto watched = context.sessions.watch(gsc.instance(command.session_id)); !watched)
    log_error(what, "{}; watched again at the next start", watched.error().message);
}

GameProgram program_of(const GameLaunch& launch) {
  GameProgram program{.image = launch.image,
                      .argv = launch.argv,
                      .env = launch.env,
                      .entrypoint_words = static_cast<size_t>(launch.entrypoint_words),
                      .data_path = launch.data_path,
                      .ports = {}};
  for (const PortBinding& binding : launch.port_bindings)
    program.ports.push_back({binding.container_port, binding.host_port, binding.protocol == "UDP"});
  return program;
}

SessionReport start_renewal(const StartSessionCommand& command, int64_t server_id,
                            const Progress& progress) {
  SessionReport report;
  report.session_id = command.session_id;
  report.sgc_id = command.sgc_id;
  report.server_id = server_id;
  report.status = "starting";
  report.progress_bytes = static_cast<int64_t>(progress.done_bytes.load());
  report.total_bytes = static_cast<int64_t>(progress.total_bytes.load());
  return report;
}

}  // namespace manman::host
