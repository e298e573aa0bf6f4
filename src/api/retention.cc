#include "api/retention.h"

#include "db/repositories.h"
#include "domain/time_zone.h"

namespace manman::api {
namespace {

constexpr int kPage = 200;

std::string why_not_good(const Backup& backup) {
  if (backup.status != BackupStatus::kCompleted)
    return "it is " + std::string(wire_text(backup.status));
  if (backup.verification.failed_at != 0) return "its verification failed";
  if (backup.verification.counts()) return "";
  return "it is not verified yet (" + std::string(to_text(backup.verification.due)) + ")";
}

RetentionCandidate candidate_of(const Backup& backup) {
  return {.backup_id = backup.backup_id,
          .created_at = backup.created_at,
          .size_bytes = backup.size_bytes,
          .pinned = backup.pinned,
          .not_good = why_not_good(backup)};
}

// The policy's backups up to `newest`, so that both passes see the same.
Result<void> each_backup(const Context& context, int64_t policy_id, int64_t newest,
                         const std::function<Result<void>(const Backup&)>& visit) {
  db::Page page{.size = kPage, .before_id = newest + 1};
  for (;;) {
    const auto backups = TRY(context.database.look([&](db::Transaction& tx) {
      return db::backups::list(tx, {.policy_id = policy_id}, page);
    }));
    for (const Backup& backup : backups) {
      if (backup.status != BackupStatus::kDeleting) TRY(visit(backup));
    }
    if (std::ssize(backups) < kPage) return {};
    page.before_id = backups.back().backup_id;
  }
}

}  // namespace

Result<void> decide_on_backups(const Context& context, const BackupPolicy& policy,
                               const DecisionVisit& visit) {
  const TimeZone zone = TRY(TimeZone::find(policy.schedule.zone));
  const auto newest = TRY(context.database.look([&](db::Transaction& tx) {
    return db::backups::list(tx, {.policy_id = policy.policy_id}, {.size = 1});
  }));
  if (newest.empty()) return {};
  const auto last_good = TRY(context.database.look(
      [&](db::Transaction& tx) { return db::backups::last_good(tx, policy.sgc_id); }));
  RetentionOverview overview;
  if (last_good) overview.last_good_ids.push_back(last_good->backup_id);
  const int64_t newest_id = newest.front().backup_id;
  TRY(each_backup(context, policy.policy_id, newest_id, [&](const Backup& backup) -> Result<void> {
    overview.add(candidate_of(backup));
    return {};
  }));
  Retention retention(
      policy.keep, [&](int64_t unix_s) { return zone.span_at(unix_s).offset_s; },
      std::move(overview));
  return each_backup(context, policy.policy_id, newest_id, [&](const Backup& backup) {
    return visit(backup, retention.decide(candidate_of(backup)));
  });
}

}  // namespace manman::api
