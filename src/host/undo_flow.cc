#include "host/undo_flow.h"

#include <string>
#include <utility>

#include "archive/staging.h"
#include "base/failpoint.h"
#include "base/file.h"
#include "host/janitor.h"
#include "host/outcome.h"

namespace manman::host {
namespace {

bool is_folder(const std::filesystem::path& path, const std::string& identity) {
  const auto found = archive::folder_identity(path);
  return found && *found == identity;
}

class UndoFlow {
 public:
  UndoFlow(Context& context, Job& job, const SessionCommand& command)
      : context_(context),
        job_(job),
        command_(command),
        gsc_(context.gsc(command.launch.environment, command.sgc_id)) {}

  void run();

 private:
  Result<void> put_back();
  Result<void> check_not_running();
  Result<std::string> journal_swap();
  Result<void> exchange(const std::string& identity);
  void conclude_undone();
  void conclude_failed(const Error& error);
  SessionReport report(const std::string& replaced_data) const;

  Context& context_;
  Job& job_;
  const SessionCommand& command_;
  const GscDir gsc_;
};

void UndoFlow::run() {
  const auto undone = guarded([this] { return put_back(); });
  if (undone) return conclude_undone();
  if (context_.stopping) return;  // goes on at the next start
  conclude_failed(undone.error());
}

Result<void> UndoFlow::put_back() {
  TRY(check_not_running());
  const std::string identity = TRY(journal_swap());
  return exchange(identity);
}

Result<void> UndoFlow::check_not_running() {
  const auto game = context_.sessions.running_in(command_.sgc_id);
  if (!game) return {};
  return fail(Code::kFailedPrecondition, "session " + std::to_string(game->session_id) +
                                             " of SGC " + std::to_string(command_.sgc_id) +
                                             " runs here");
}

// The identity of the folder that is to become game/ again; that of an earlier try, if a crash
// ended it.
Result<std::string> UndoFlow::journal_swap() {
  const auto record = context_.journal->find(job_.key);
  if (record && record->phase == Phase::kSwapping) return record->staged_identity;
  const auto replaced = gsc_.replaced(command_.session_id);
  if (!TRY(folder_exists(replaced)))
    return fail(Code::kNotFound,
                "what the restore replaced is not there any more (" + replaced.string() + ")");
  const std::string identity = TRY(archive::folder_identity(replaced));
  TRY(context_.journal->update(job_.key, [&](Record& changed) {
    changed.phase = Phase::kSwapping;
    changed.staged_identity = identity;
  }));
  TRY(failpoint::pass("undo.journaled"));
  return identity;
}

Result<void> UndoFlow::exchange(const std::string& identity) {
  if (is_folder(gsc_.game(), identity)) return {};
  const auto replaced = gsc_.replaced(command_.session_id);
  if (!is_folder(replaced, identity))
    return fail(Code::kDataLoss, "neither " + gsc_.game().string() + " nor " + replaced.string() +
                                     " is the folder that was to be put back");
  auto swapped = archive::swap_in(replaced, gsc_.game());
  if (!swapped && !is_folder(gsc_.game(), identity)) return swapped;
  // From here on it is done, and no error can say otherwise.
  if (!swapped) log_error(job_.about, "{}", swapped.error().message);
  if (auto passed = failpoint::pass("undo.swapped"); !passed)
    log_error(job_.about, "{}", passed.error().message);
  return {};
}

void UndoFlow::conclude_undone() {
  log_info(job_.about, "the data from before the restore is back in {}", gsc_.game().string());
  const bool in_trash = move_replaced_to_trash(gsc_, command_.session_id);
  conclude(context_, job_.key, message_of(report("undone")));
  if (in_trash) remove_trash(gsc_, command_.session_id);
}

void UndoFlow::conclude_failed(const Error& error) {
  log_error(job_.about, "undo: {}", error.message);
  const auto there = folder_exists(gsc_.replaced(command_.session_id));
  SessionReport failed = report(there && !*there ? "removed" : "kept");
  failed.error_message = "undo of the restore: " + error.text();
  // Not remembered: the next command to undo is a new one.
  conclude(context_, job_.key, message_of(failed), false);
}

SessionReport UndoFlow::report(const std::string& replaced_data) const {
  SessionReport report;
  report.session_id = command_.session_id;
  report.sgc_id = command_.sgc_id;
  report.server_id = context_.config.server_id;
  report.replaced_data = replaced_data;
  return report;
}

}  // namespace

void run_undo(Context& context, Job& job, const SessionCommand& command) {
  UndoFlow(context, job, command).run();
}

}  // namespace manman::host
