#include "db/conditions.h"
#include "db/repositories.h"
#include "db/rows.h"
#include "db/table.h"

namespace manman::db::policy_runs {
namespace {

PolicyRunRow to_row(const PolicyRun& run) {
  PolicyRunRow row;
  row.id = run.run_id;
  row.policy_id = run.policy_id;
  row.run_trigger = to_text(run.trigger);
  row.due_at = run.due_at;
  row.of_session = run.session_id;
  row.outcome = to_text(run.outcome);
  row.reason = run.reason;
  row.backup_id = run.backup_id;
  row.missed_count = run.missed_count;
  row.noted_at = run.at;
  row.look_again_at = run.look_again_at;
  return row;
}

Result<PolicyRun> to_domain(const PolicyRunRow& row) {
  const auto trigger = run_trigger_from(row.run_trigger);
  if (!trigger) return std::unexpected(damaged("policy_runs.run_trigger", row.run_trigger));
  const auto outcome = run_outcome_from(row.outcome);
  if (!outcome) return std::unexpected(damaged("policy_runs.outcome", row.outcome));
  PolicyRun run;
  run.run_id = row.id;
  run.policy_id = row.policy_id;
  run.trigger = *trigger;
  run.due_at = row.due_at;
  run.session_id = row.of_session;
  run.outcome = *outcome;
  run.reason = row.reason;
  run.backup_id = row.backup_id.get();
  run.missed_count = row.missed_count;
  run.at = row.noted_at;
  run.look_again_at = row.look_again_at;
  return run;
}

Where of(int64_t policy_id) {
  return Where().when("policy_id = :policy", "policy", policy_id);
}

// The unique index that says whether an occasion has its run.
std::string occasion(const PolicyRun& run) {
  if (run.trigger == RunTrigger::kSchedule)
    return "(policy_id, due_at) WHERE " + std::string(kRunIsScheduled);
  return "(policy_id, run_trigger, of_session) WHERE " + std::string(kRunIsOfSession);
}

template <typename Rows>
auto first_of(Rows rows) -> std::optional<typename Rows::value_type> {
  if (rows.empty()) return std::nullopt;
  return std::move(rows.front());
}

}  // namespace

Result<std::optional<PolicyRun>> create(Transaction& tx, const PolicyRun& run) {
  PolicyRun made = run;
  made.run_id = TRY(next_id<PolicyRunRow>(tx));
  if (!TRY(insert_unless(tx, to_row(made), occasion(made)))) return std::nullopt;
  return made;
}

Result<PolicyRun> get(Transaction& tx, int64_t run_id) {
  return read_one<PolicyRunRow>(tx, run_id, to_domain);
}

Result<std::vector<PolicyRun>> list(Transaction& tx, int64_t policy_id, const Page& page) {
  return read_all<PolicyRunRow>(tx, of(policy_id).page("run_id", page), to_domain);
}

Result<void> update(Transaction& tx, const PolicyRun& run) {
  return db::update(tx, to_row(run));
}

Result<std::vector<PolicyRun>> waiting(Transaction& tx, int64_t now_s, int limit) {
  Where where;
  where.when(kRunIsWaiting).when("look_again_at <= :now", "now", now_s);
  return read_all<PolicyRunRow>(tx, where.order("look_again_at", limit), to_domain);
}

Result<std::vector<PolicyRun>> waiting_of(Transaction& tx, int64_t policy_id) {
  return read_all<PolicyRunRow>(tx, of(policy_id).when(kRunIsWaiting), to_domain);
}

Result<std::optional<PolicyRun>> missed_after(Transaction& tx, int64_t policy_id, int64_t run_id) {
  Where where = of(policy_id);
  where.when("run_id > :run", "run", run_id).when("outcome = 'missed'");
  return first_of(TRY(read_all<PolicyRunRow>(tx, where.order("run_id", 1), to_domain)));
}

Result<std::optional<PolicyRun>> of_backup(Transaction& tx, int64_t backup_id) {
  Where where;
  where.when("backup_id = :backup", "backup", backup_id);
  return first_of(TRY(read_all<PolicyRunRow>(tx, where.order("run_id", 1), to_domain)));
}

Result<void> prune(Transaction& tx, int64_t policy_id, int keep) {
  return query(tx, [&](soci::session& sql) -> Result<void> {
    sql << "DELETE FROM policy_runs WHERE policy_id = :policy AND outcome <> 'waiting' AND "
           "run_id <= (SELECT run_id FROM policy_runs WHERE policy_id = :policy "
           "ORDER BY run_id DESC LIMIT 1 OFFSET :keep)",
        soci::use(policy_id, "policy"), soci::use(keep, "keep");
    return {};
  });
}

}  // namespace manman::db::policy_runs
