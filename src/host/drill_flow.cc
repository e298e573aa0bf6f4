#include "host/drill_flow.h"

#include <filesystem>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "archive/manners.h"
#include "archive/staging.h"
#include "base/failpoint.h"
#include "base/file.h"
#include "base/retry.h"
#include "examine/examine.h"
#include "host/drill_game.h"
#include "host/outcome.h"
#include "host/unpack_backup.h"

namespace manman::host {
namespace fs = std::filesystem;
namespace {

constexpr int kDownloadAttempts = 4;
constexpr Backoff kBackoff{std::chrono::milliseconds(500), std::chrono::milliseconds(10000)};

// What was found; nothing of it: the backup is good.
struct Findings {
  std::vector<std::string> texts;  // the first
  uint64_t count = 0;
  std::string examined;
  uint64_t unexamined_count = 0;

  void add(std::string text) {
    count++;
    if (texts.size() == DrillReport::kMaxFindings) return;
    if (text.size() > DrillReport::kMaxFindingBytes) {
      text.resize(DrillReport::kMaxFindingBytes - 3);
      text += "...";
    }
    texts.push_back(std::move(text));
  }
};

// Calls f in a thread of its own, from which all threads that it makes have their manners.
template <typename F>
auto in_background(bool background, F&& f) -> decltype(f()) {
  std::optional<decltype(f())> result;
  std::jthread thread([&] {
    if (background) archive::give_way();
    result.emplace(guarded(f));
  });
  thread.join();
  return *std::move(result);
}

bool tells_of_archive(const Error& error) {
  return error.code == Code::kDataLoss || error.code == Code::kInvalidArgument;
}

class DrillFlow {
 public:
  DrillFlow(Context& context, Job& job, const DrillCommand& command)
      : context_(context),
        job_(job),
        command_(command),
        scratch_(drill_dir(context, command.drill_id)) {}

  void run();

 private:
  Result<Findings> drill();
  Result<void> look_at_backup(Findings& findings);
  Result<archive::Staging> unpack_into_scratch();
  Result<void> examine_world(Findings& findings);
  Result<void> start_game(Findings& findings);
  void conclude(const Result<Findings>& outcome);
  DrillReport report_of(const Result<Findings>& outcome) const;

  fs::path world() const { return scratch_ / kSaveData; }

  Context& context_;
  Job& job_;
  const DrillCommand& command_;
  const fs::path scratch_;
};

void DrillFlow::run() {
  const auto outcome = guarded([this] {
    return in_background(context_.config.backups_give_way, [this] { return drill(); });
  });
  if (!outcome && context_.stopping) return;  // begins anew at the next start
  conclude(outcome);
}

Result<Findings> DrillFlow::drill() {
  TRY(job_.progress.check());
  TRY(check_worth_a_try(context_, job_.key));
  context_.reporter.offer(job_.renewal(job_.progress));
  TRY(failpoint::pass("drill.running_reported"));
  Findings findings;
  TRY(look_at_backup(findings));
  TRY(failpoint::pass("drill.scratch_removed"));
  return findings;
}

// The scratch folder is gone when this returns.
Result<void> DrillFlow::look_at_backup(Findings& findings) {
  TRY(make_dirs(scratch_.parent_path()));
  const auto scratch = retry(kDownloadAttempts, kBackoff, job_.cancelled(),
                             context_.metrics.counting(Metrics::Retry::kDownload,
                                                       [this] { return unpack_into_scratch(); }));
  if (!scratch && tells_of_archive(scratch.error())) {
    findings.add(scratch.error().message);
    return {};
  }
  if (!scratch) return std::unexpected(scratch.error());
  TRY(failpoint::pass("drill.unpacked"));
  TRY(examine_world(findings));
  TRY(failpoint::pass("drill.examined"));
  return command_.start_game && findings.count == 0 ? start_game(findings) : Result<void>();
}

Result<archive::Staging> DrillFlow::unpack_into_scratch() {
  TRY(end_drill_game(context_, command_.drill_id));
  auto made = archive::Staging::create(scratch_);
  // Whatever the code of such an error, it does not tell of the archive.
  if (!made) return fail(Code::kInternal, made.error().message);
  TRY(unpack_backup(context_, job_, command_.backup, world()));
  return made;
}

Result<void> DrillFlow::examine_world(Findings& findings) {
  job_.progress.done_bytes = 0;
  const examine::Options options{.rules = command_.launch.handling.examine,
                                 .scratch = scratch_ / "recovered",
                                 .progress = &job_.progress};
  const examine::Report report = TRY(in("examine it", examine::examine(world(), options)));
  for (const examine::Finding& problem : report.problems) findings.add(problem.text());
  findings.count = report.problem_count;
  findings.examined = report.counts();
  findings.unexamined_count = report.unexamined_count;
  return {};
}

Result<void> DrillFlow::start_game(Findings& findings) {
  const GameTrial trial = TRY(try_game(context_, job_, command_));
  if (!trial.problem.empty()) findings.add(trial.problem);
  if (!trial.said.empty()) findings.examined += "; " + trial.said;
  return {};
}

void DrillFlow::conclude(const Result<Findings>& outcome) {
  const DrillReport report = report_of(outcome);
  const std::string why = report.error_message.empty() ? "" : ": " + report.error_message;
  log_info(job_.about, "drill {} of backup {}: {}{}", command_.drill_id, command_.backup.backup_id,
           report.status, why);
  context_.metrics.drill_ended(report);
  const Message message = message_of(report);
  record_outcome(context_, job_.key, message, true);
  if (auto passed = failpoint::pass("drill.outcome_journaled"); !passed)
    log_error(job_.about, "{}", passed.error().message);
  deliver_outcome(context_, job_.key, message);
}

DrillReport DrillFlow::report_of(const Result<Findings>& outcome) const {
  DrillReport report = drill_renewal(command_, context_.config.server_id, job_.progress);
  if (!outcome) {
    report.status = "given-up";
    report.error_message = outcome.error().text();
    return report;
  }
  report.findings = outcome->texts;
  report.finding_count = static_cast<int64_t>(outcome->count);
  report.examined = outcome->examined;
  report.unexamined_count = static_cast<int64_t>(outcome->unexamined_count);
  report.status = outcome->count == 0 ? "passed" : "failed";
  if (outcome->count > 0) report.error_message = outcome->texts.front();
  if (outcome->count > 1)
    report.error_message += "; and " + std::to_string(outcome->count - 1) + " more";
  return report;
}

}  // namespace

void run_drill(Context& context, Job& job, const DrillCommand& command) {
  DrillFlow(context, job, command).run();
}

DrillReport drill_renewal(const DrillCommand& command, int64_t server_id,
                          const Progress& progress) {
  DrillReport report;
  report.drill_id = command.drill_id;
  report.backup_id = command.backup.backup_id;
  report.server_id = server_id;
  report.status = "running";
  report.progress_bytes = static_cast<int64_t>(progress.done_bytes.load());
  report.total_bytes = static_cast<int64_t>(progress.total_bytes.load());
  return report;
}

fs::path drills_dir(const Context& context) {
  return context.config.data_dir / kDrills;
}

}  // namespace manman::host
