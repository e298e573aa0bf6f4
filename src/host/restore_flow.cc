#include "host/restore_flow.h"

#include <algorithm>
#include <utility>

#include "archive/archive.h"
#include "archive/copy_tree.h"
#include "archive/path.h"
#include "archive/staging.h"
#include "base/failpoint.h"
#include "base/file.h"
#include "base/retry.h"
#include "host/janitor.h"
#include "host/unpack_backup.h"

namespace manman::host {
namespace fs = std::filesystem;
namespace {

constexpr int kDownloadAttempts = 4;
constexpr Backoff kBackoff{std::chrono::milliseconds(500), std::chrono::milliseconds(10000)};

Result<void> rename_folder(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::rename(from, to, error);
  if (error) return fail_errno("rename " + from.string() + " to " + to.string(), error.value());
  return {};
}

bool is_folder(const fs::path& path, const std::string& identity) {
  const auto found = archive::folder_identity(path);
  return found && *found == identity;
}

class RestoreFlow {
 public:
  RestoreFlow(Context& context, Job& job, const StartSessionCommand& command)
      : context_(context),
        job_(job),
        command_(command),
        gsc_(context.gsc(command.launch.environment, command.sgc_id)) {}

  Result<void> run();

 private:
  Result<void> restore_from_start();
  Result<void> resume_swap(const std::string& identity);

  Result<archive::Staging> stage();
  Result<void> copy_the_rest(const fs::path& target);
  Result<std::string> journal_swap(const fs::path& staged);
  Result<void> put_in_place(const std::string& identity);
  Result<void> exchange(const std::string& identity);
  Result<void> keep_replaced();

  fs::path staged_game() const { return gsc_.staging(command_.session_id) / "game"; }
  fs::path replaced() const { return gsc_.replaced(command_.session_id); }

  Context& context_;
  Job& job_;
  const StartSessionCommand& command_;
  const GscDir gsc_;
};

Result<void> RestoreFlow::run() {
  const auto record = context_.journal->find(job_.key);
  if (record && record->phase == Phase::kSwapping) return resume_swap(record->staged_identity);
  return restore_from_start();
}

Result<void> RestoreFlow::restore_from_start() {
  TRY(job_.progress.check());
  const auto place = TRY(context_.archives.enter(job_.cancelled()));
  const archive::Staging staging =
      TRY(retry(kDownloadAttempts, kBackoff, job_.cancelled(),
                context_.metrics.counting(Metrics::Retry::kDownload, [this] { return stage(); })));
  TRY(job_.progress.check());
  const std::string identity = TRY(journal_swap(staged_game()));
  return put_in_place(identity);
}

Result<void> RestoreFlow::resume_swap(const std::string& identity) {
  auto placed = put_in_place(identity);
  if (auto removed = remove_tree(gsc_.staging(command_.session_id)); !removed)
    log_error(job_.about, "{}", removed.error().message);
  return placed;
}

Result<archive::Staging> RestoreFlow::stage() {
  // Only a journal that was lost can leave this; then it may be the only copy of something.
  if (TRY(folder_exists(replaced())))
    return fail(Code::kFailedPrecondition, replaced().string() + " is there already");
  auto staging = TRY(archive::Staging::create(gsc_.staging(command_.session_id)));
  TRY(failpoint::pass("restore.staging_created"));
  TRY(unpack_backup(context_, job_,
                    {.backup_id = command_.restore_backup_id,
                     .s3_url = command_.restore_s3_url,
                     .size_bytes = command_.restore_size_bytes,
                     .data_bytes = command_.restore_data_bytes,
                     .sha256 = command_.restore_sha256},
                    staged_game(), command_.restore_paths));
  if (!command_.restore_paths.empty()) TRY(copy_the_rest(staged_game()));
  TRY(staging.sync());
  TRY(failpoint::pass("restore.extracted"));
  return staging;
}

// What is not restored is copied, so that the staged folder holds all that game/ shall hold, and is
// put in place like any other. It is not linked: what is kept for an undo must stay as it is, also
// when the game writes into a file.
Result<void> RestoreFlow::copy_the_rest(const fs::path& target) {
  if (!TRY(folder_exists(gsc_.game()))) return {};
  std::vector<std::string> restored;
  for (const std::string& path : command_.restore_paths)
    restored.push_back(TRY(archive::strip_prefix(archive::clean_path(path), kSaveData)));
  if (std::ranges::find(restored, ".") != restored.end()) return {};  // all of it
  archive::CopyOptions options;
  options.progress = &job_.progress;
  options.leave_out = [&](const std::string& path, const struct stat&) {
    return std::ranges::any_of(
        restored, [&](const std::string& one) { return archive::is_at_or_below(path, one); });
  };
  const auto copied =
      TRY(in("keep what is not restored", archive::copy_tree(gsc_.game(), target, options)));
  log_info(job_.about, "kept {} other entries, {} bytes, {} of them on shared blocks",
           copied.entries, copied.data_size_bytes, copied.shared_size_bytes);
  log_warnings(job_.about, copied);
  return failpoint::pass("restore.rest_copied");
}

Result<std::string> RestoreFlow::journal_swap(const fs::path& staged) {
  const std::string identity = TRY(archive::folder_identity(staged));
  TRY(context_.journal->update(job_.key, [&](Record& record) {
    record.phase = Phase::kSwapping;
    record.staged_identity = identity;
  }));
  TRY(failpoint::pass("restore.swap_journaled"));
  return identity;
}

// Every step looks first whether it has been done, since a crash may have come at any point. The
// staged folder takes the name replaced-{id} before the exchange, so that the old data has its
// final name the moment it is out of place.
Result<void> RestoreFlow::put_in_place(const std::string& identity) {
  if (!is_folder(gsc_.game(), identity)) {
    if (!is_folder(replaced(), identity)) {
      if (!is_folder(staged_game(), identity))
        return fail(Code::kDataLoss, "the restored data that was ready to be put in place is gone");
      TRY(rename_folder(staged_game(), replaced()));
    }
    TRY(exchange(identity));
  }
  TRY(failpoint::pass("restore.swapped"));
  return keep_replaced();
}

Result<void> RestoreFlow::exchange(const std::string& identity) {
  auto swapped = archive::swap_in(replaced(), gsc_.game());
  if (swapped) return {};
  // Only if it is not in place after all: then game/ is as it was, and this is what was staged.
  if (is_folder(replaced(), identity)) {
    if (auto removed = remove_tree(replaced()); !removed)
      log_error(job_.about, "{}", removed.error().message);
  }
  return swapped;
}

Result<void> RestoreFlow::keep_replaced() {
  if (TRY(folder_exists(replaced()))) note_replaced(gsc_, command_.session_id);
  return failpoint::pass("restore.replaced_kept");
}

}  // namespace

Result<void> restore(Context& context, Job& job, const StartSessionCommand& command) {
  auto restored = RestoreFlow(context, job, command).run();
  // One that goes on at the next start has not ended.
  if (restored || !context.stopping) context.metrics.restore_ended(restored.has_value());
  return restored;
}

std::string replaced_by(Context& context, const JobKey& key, const StartSessionCommand& command) {
  if (command.restore_backup_id == 0) return "";
  const GscDir gsc = context.gsc(command.launch.environment, command.sgc_id);
  const auto record = context.journal->find(key);
  const auto there = archive::folder_identity(gsc.replaced(command.session_id));
  if (!record || record->staged_identity.empty() || !there) return "none";
  return *there == record->staged_identity ? "none" : "kept";
}

}  // namespace manman::host
