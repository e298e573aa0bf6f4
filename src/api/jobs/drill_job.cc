#include "api/jobs/drill_job.h"

#include "api/drills.h"
#include "base/log.h"
#include "db/repositories.h"

namespace manman::api {
namespace {

constexpr int kBatch = 20;
constexpr int64_t kGivenUpS = 60 * 60;

}  // namespace

DrillJob::DrillJob(const Context& context)
    : context_(context), ticker_("drills", context.config.job_interval, [this] { run_once(); }) {}

void DrillJob::run_once() {
  const auto due = context_.database.look([&](db::Transaction& tx) {
    return db::policies::drilling(tx, context_.clock.now_s(), kGivenUpS, kBatch);
  });
  if (!due) return log_warn({}, "drills: {}", due.error().text());
  for (const BackupPolicy& policy : *due) {
    const auto ordered = order(policy.policy_id);
    if (!ordered)
      log_warn({.sgc_id = policy.sgc_id}, "policy \"{}\" has no drill: {}", policy.name,
               ordered.error().text());
  }
}

// What can't be drilled at all is written down as a drill that was given up, so that it is seen,
// and not tried at each look.
Result<void> DrillJob::order(int64_t policy_id) {
  return context_.database.transact(
      db::Isolation::kStatement, [&](db::Transaction& tx) -> Result<void> {
        const BackupPolicy policy = TRY(db::policies::hold(tx, policy_id));
        const int64_t now_s = context_.clock.now_s();
        if (TRY(db::policies::drilling(tx, now_s, kGivenUpS, 1, policy_id)).empty()) return {};
        const auto backup = TRY(db::backups::to_drill(tx, policy_id));
        if (!backup || TRY(db::drills::active(tx, backup->backup_id))) return {};
        const DrillWish wish{.backup_id = backup->backup_id,
                             .policy_id = policy_id,
                             .start_game = policy.verify.drill_starts_game};
        const auto begun = begin_drill(context_, tx, wish);
        if (begun) return {};
        if (begun.error().code != Code::kFailedPrecondition) return std::unexpected(begun.error());
        TRY(db::drills::create(tx, {.backup_id = backup->backup_id,
                                    .sgc_id = backup->sgc_id,
                                    .policy_id = policy_id,
                                    .start_game = wish.start_game,
                                    .status = DrillStatus::kGivenUp,
                                    .error_message = begun.error().text(),
                                    .created_at = now_s,
                                    .finished_at = now_s}));
        log_warn({.backup_id = backup->backup_id, .sgc_id = backup->sgc_id},
                 "policy \"{}\" has no drill: {}", policy.name, begun.error().text());
        return {};
      });
}

}  // namespace manman::api
