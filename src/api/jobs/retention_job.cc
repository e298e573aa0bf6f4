#include "api/jobs/retention_job.h"

#include "api/retention.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "db/repositories.h"

namespace manman::api {
namespace {

constexpr int kBatch = 100;
constexpr int64_t kRetryAfterS = 60;

std::string joined(const std::vector<std::string>& reasons) {
  std::string text;
  for (const std::string& reason : reasons) text += (text.empty() ? "" : ", ") + reason;
  return text;
}

}  // namespace

RetentionJob::RetentionJob(const Context& context, Deleter& deleter)
    : context_(context),
      deleter_(deleter),
      ticker_("retention", context.config.job_interval, [this] { run_once(); }) {}

void RetentionJob::run_once() {
  const auto entries = context_.database.look([&](db::Transaction& tx) {
    return db::retention_queue::due(tx, context_.clock.now_s(), kBatch);
  });
  if (!entries) {
    log_warn({}, "retention: {}", entries.error().text());
    return;
  }
  for (const auto& entry : *entries) {
    const auto all_gone = look_through(entry.sgc_id);
    if (!all_gone) log_warn({.sgc_id = entry.sgc_id}, "retention: {}", all_gone.error().text());
    const auto noted = context_.database.transact([&](db::Transaction& tx) {
      if (all_gone && *all_gone) return db::retention_queue::done(tx, entry);
      return db::retention_queue::put_off(tx, entry, context_.clock.now_s() + kRetryAfterS);
    });
    if (!noted) log_warn({.sgc_id = entry.sgc_id}, "retention: {}", noted.error().text());
  }
}

Result<bool> RetentionJob::look_through(int64_t sgc_id) {
  const auto policies = TRY(context_.database.look(
      [&](db::Transaction& tx) { return db::policies::of_sgc(tx, sgc_id); }));
  bool all_gone = true;
  for (const BackupPolicy& policy : policies) all_gone = TRY(apply(policy))
  &&all_gone;
  return all_gone;
}

Result<bool> RetentionJob::apply(const BackupPolicy& policy) {
  bool all_gone = true;
  TRY(decide_on_backups(
      context_, policy,
      [&](const Backup& backup, const RetentionDecision& decision) -> Result<void> {
        if (decision.keep) return {};
        const About about{.backup_id = backup.backup_id, .sgc_id = backup.sgc_id};
        if (const auto gone = let_go(backup); !gone) {
          log_warn(about, "policy \"{}\" would let it go ({}), but it stays: {}", policy.name,
                   joined(decision.reasons), gone.error().message);
          all_gone = false;
        } else {
          log_info(about, "policy \"{}\" lets it go: {}", policy.name, joined(decision.reasons));
        }
        return {};
      }));
  return all_gone;
}

// What was decided on rows as they were read is looked at once more under lock: a pin, or the last
// good backup being deleted meanwhile, counts.
Result<void> RetentionJob::let_go(const Backup& backup) {
  const Backup marked = TRY(deleter_.mark(backup.backup_id, Deleter::By::kRetention, "retention"));
  TRY(failpoint::pass("api.retention.marked"));
  // What can't be removed now the deleter goes on with.
  if (const auto finished = deleter_.finish(marked); !finished)
    log_warn({.backup_id = backup.backup_id, .sgc_id = backup.sgc_id}, "can't be deleted yet: {}",
             finished.error().text());
  return {};
}

}  // namespace manman::api
