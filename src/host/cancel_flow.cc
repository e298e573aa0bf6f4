#include "host/cancel_flow.h"

#include <memory>
#include <vector>

#include "base/failpoint.h"
#include "base/retry.h"
#include "domain/object_url.h"
#include "host/outcome.h"
#include "host/place.h"

namespace manman::host {
namespace {

constexpr std::chrono::milliseconds kLook{20};
constexpr Backoff kBackoff{std::chrono::milliseconds(500), std::chrono::milliseconds(15000)};

std::vector<std::shared_ptr<Job>> jobs_of(Context& context, int64_t backup_id) {
  auto jobs = context.jobs.all();
  std::erase_if(jobs, [&](const auto& job) {
    return job->key.kind != JobKind::kBackup || job->key.id != backup_id;
  });
  return jobs;
}

class CancelFlow {
 public:
  CancelFlow(Context& context, Job& job, const CancelBackupCommand& command)
      : context_(context), job_(job), command_(command) {}

  void run();

 private:
  void end_waiting();
  bool wait_for_those_at_work();
  Result<void> clean_store();
  Result<void> clean_until_done();
  void finish(const JobKey& key);
  std::function<bool()> host_stops() const {
    return [this] { return context_.stopping.load(); };
  }

  Context& context_;
  Job& job_;
  const CancelBackupCommand& command_;
};

void CancelFlow::run() {
  end_waiting();
  if (!wait_for_those_at_work()) return;  // goes on at the next start
  const auto cleaned = guarded([this] { return clean_until_done(); });
  if (!cleaned && context_.stopping) return;
  if (!cleaned)
    log_error(job_.about, "the store may keep something of {}: {}", command_.s3_key,
              cleaned.error().message);
  if (auto passed = failpoint::pass("backup.cancel_cleaned"); !passed)
    log_error(job_.about, "{}", passed.error().message);
  finish(job_.key);
}

// Whatever stands before them in their lane may take long. Whoever comes first has the job.
void CancelFlow::end_waiting() {
  for (const auto& backup : jobs_of(context_, command_.backup_id)) {
    if (backup->begun.exchange(true)) continue;
    log_info(backup->about, "cancelled before it began");
    finish(backup->key);
    context_.jobs.remove(backup->key);
  }
}

bool CancelFlow::wait_for_those_at_work() {
  while (!jobs_of(context_, command_.backup_id).empty()) {
    if (!sleep_unless(kLook, host_stops())) return false;
  }
  return true;
}

Result<void> CancelFlow::clean_until_done() {
  for (int tried = 0;; tried++) {
    auto cleaned = clean_store();
    if (cleaned || !cleaned.error().retryable) return cleaned;
    if (tried == 0)
      log_warn(job_.about, "can't clean up yet: {}; trying on", cleaned.error().message);
    if (!sleep_unless(kBackoff.wait_before_retry(tried), host_stops())) return cleaned;
  }
}

// The backup's own flow has done so, if it began here and the store was there.
Result<void> CancelFlow::clean_store() {
  const ObjectUrl ours{context_.store->bucket(), command_.s3_key};
  if (!command_.s3_url.empty() && command_.s3_url != ours.text())
    return {};  // nothing written here
  TRY(context_.store->abort_uploads(command_.s3_key));
  return clear_place(*context_.store, command_.s3_key, command_.mark);
}

void CancelFlow::finish(const JobKey& key) {
  if (auto finished = context_.journal->finish(key); !finished)
    log_error(job_.about, "{}", finished.error().message);
}

}  // namespace

bool is_cancelled(Context& context, int64_t backup_id, const std::string& s3_url) {
  const JobKey key{JobKind::kCancel, backup_id};
  auto record = context.journal->find(key);
  if (!record) record = context.journal->find_done(key);
  if (!record) return false;
  const auto command = CancelBackupCommand::parse(record->command);
  return command && command->s3_url == s3_url;
}

void end_backup(Context& context, int64_t backup_id) {
  for (const auto& job : jobs_of(context, backup_id)) job->progress.cancel = true;
}

void run_cancel(Context& context, Job& job, const CancelBackupCommand& command) {
  CancelFlow(context, job, command).run();
}

}  // namespace manman::host
