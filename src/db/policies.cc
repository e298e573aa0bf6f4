#include "base/time.h"
#include "db/conditions.h"
#include "db/repositories.h"
#include "db/rows.h"
#include "db/table.h"

namespace manman::db::policies {
namespace {

Result<PolicyRow> to_row(const BackupPolicy& policy) {
  PolicyRow row;
  row.id = policy.policy_id;
  row.sgc_id = policy.sgc_id;
  row.name = policy.name;
  row.every_minutes = policy.schedule.every_minutes;
  row.cron = policy.schedule.cron;
  row.zone = policy.schedule.zone;
  row.jitter_seconds = policy.schedule.jitter_seconds;
  row.at_session_end = policy.schedule.at_session_end ? 1 : 0;
  row.before_restore = policy.schedule.before_restore ? 1 : 0;
  row.paused = policy.paused ? 1 : 0;
  row.format = policy.format;
  row.level = policy.level;
  row.handling = policy.handling;
  row.upload_bytes_per_second = policy.upload_bytes_per_second;
  row.skip_unchanged = policy.skip_unchanged ? 1 : 0;
  row.keep = json_of(policy.keep);
  if (policy.verify.after_upload) row.verify = rule_text(*policy.verify.after_upload);
  row.verify_every_days = policy.verify.every_days.value_or(-1);
  row.drill_every_days = policy.verify.drill_every_days;
  row.drill_starts_game = policy.verify.drill_starts_game ? 1 : 0;
  row.created_at = TRY(timestamp_of("backup_policies.created_at", policy.created_at));
  row.updated_at = policy.updated_at;
  row.next_due_at = policy.next_due_at;
  return row;
}

Result<BackupPolicy> to_domain(const PolicyRow& row) {
  BackupPolicy policy;
  policy.policy_id = row.id;
  policy.sgc_id = row.sgc_id;
  policy.name = row.name;
  policy.schedule = {.every_minutes = row.every_minutes,
                     .cron = row.cron,
                     .zone = row.zone,
                     .jitter_seconds = row.jitter_seconds,
                     .at_session_end = row.at_session_end != 0,
                     .before_restore = row.before_restore != 0};
  policy.paused = row.paused != 0;
  policy.format = row.format;
  policy.level = row.level;
  policy.handling = row.handling;
  policy.upload_bytes_per_second = row.upload_bytes_per_second;
  policy.skip_unchanged = row.skip_unchanged != 0;
  policy.keep = TRY(keep_rules_from("backup_policies.keep", row.keep));
  if (!row.verify.empty()) {
    policy.verify.after_upload = verify_rule_from(row.verify);
    if (!policy.verify.after_upload)
      return std::unexpected(damaged("backup_policies.verify", row.verify));
  }
  if (row.verify_every_days >= 0) policy.verify.every_days = row.verify_every_days;
  policy.verify.drill_every_days = row.drill_every_days;
  policy.verify.drill_starts_game = row.drill_starts_game != 0;
  policy.created_at = TRY(unix_seconds_from("backup_policies.created_at", row.created_at));
  policy.updated_at = row.updated_at;
  policy.next_due_at = row.next_due_at;
  return policy;
}

Where of(int64_t sgc_id) {
  return Where().when("sgc_id = :sgc", "sgc", sgc_id);
}

Result<void> forbid_same_name(Transaction& tx, const BackupPolicy& policy) {
  const auto other =
      TRY(find_id<PolicyRow>(tx, of(policy.sgc_id).when("name = :name", "name", policy.name)));
  if (!other || *other == policy.policy_id) return {};
  return fail(Code::kAlreadyExists, "SGC " + std::to_string(policy.sgc_id) + " has a policy \"" +
                                        policy.name + "\" already");
}

}  // namespace

Result<BackupPolicy> create(Transaction& tx, const BackupPolicy& policy) {
  TRY(require<ServerGameConfigRow>(tx, policy.sgc_id));
  TRY(forbid_same_name(tx, policy));
  if (std::ssize(TRY(of_sgc(tx, policy.sgc_id))) == kMaxOfSgc)
    return fail(Code::kFailedPrecondition, "SGC " + std::to_string(policy.sgc_id) + " has " +
                                               std::to_string(kMaxOfSgc) + " policies already");
  return get(tx, TRY(insert(tx, TRY(to_row(policy)))));
}

Result<BackupPolicy> get(Transaction& tx, int64_t policy_id) {
  return read_one<PolicyRow>(tx, policy_id, to_domain);
}

Result<BackupPolicy> hold(Transaction& tx, int64_t policy_id) {
  return hold_one<PolicyRow>(tx, policy_id, to_domain);
}

Result<std::vector<BackupPolicy>> list(Transaction& tx, int64_t sgc_id, const Page& page) {
  Where where = sgc_id == 0 ? Where() : of(sgc_id);
  return read_all<PolicyRow>(tx, where.page("policy_id", page), to_domain);
}

Result<std::vector<BackupPolicy>> of_sgc(Transaction& tx, int64_t sgc_id) {
  return list(tx, sgc_id, Page{.size = kMaxOfSgc});
}

Result<void> update(Transaction& tx, const BackupPolicy& policy) {
  TRY(forbid_same_name(tx, policy));
  return db::update(tx, TRY(to_row(policy)));
}

// Ids alone: one row that can't be read must not keep the others from being seen.
Result<std::vector<int64_t>> due(Transaction& tx, int64_t now_s, int limit) {
  Where where;
  where.when(kPolicyIsTimed).when("next_due_at <= :now", "now", now_s);
  return select_ids<PolicyRow>(tx, where.order("next_due_at", limit));
}

Result<std::optional<BackupPolicy>> verifying(Transaction& tx, int64_t now_ms) {
  Where where;
  where.when(kPolicyVerifies)
      .when(
          "EXISTS (SELECT 1 FROM backups b WHERE b.policy_id = backup_policies.policy_id "
          "AND b.status = 'completed' AND b.looked_at <= :now - " +
              std::to_string(kDaySeconds) +
              " * CAST(backup_policies.verify_every_days AS BIGINT) AND b.verify_lease_ms <= " +
              std::to_string(now_ms) + ")",
          "now", now_ms / 1000);
  auto found = TRY(read_all<PolicyRow>(tx, where.order("policy_id", 1), to_domain));
  if (found.empty()) return std::nullopt;
  return std::move(found.front());
}

Result<std::vector<BackupPolicy>> drilling(Transaction& tx, int64_t now_s, int64_t given_up_s,
                                           int limit, int64_t policy_id) {
  Where where;
  if (policy_id != 0) where.when("policy_id = :policy", "policy", policy_id);
  where.when(kPolicyDrills)
      .when(
          "paused = 0 AND NOT EXISTS (SELECT 1 FROM drills d "
          "WHERE d.policy_id = backup_policies.policy_id AND d.created_at > :now_s - "
          "CASE WHEN d.status = 'given-up' THEN " +
              std::to_string(given_up_s) + " ELSE " + std::to_string(kDaySeconds) +
              " * CAST(backup_policies.drill_every_days AS BIGINT) END)",
          "now_s", now_s)
      .when(
          "EXISTS (SELECT 1 FROM backups b WHERE b.policy_id = backup_policies.policy_id "
          "AND b.status = 'completed' AND b.verify_failed_at = 0)");
  return read_all<PolicyRow>(tx, where.order("policy_id", limit), to_domain);
}

Result<void> remove(Transaction& tx, int64_t policy_id) {
  return erase_one<PolicyRow>(tx, policy_id);
}

}  // namespace manman::db::policies
