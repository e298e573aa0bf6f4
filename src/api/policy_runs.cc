#include "api/policy_runs.h"

#include <algorithm>

#include "api/commands.h"
#include "api/events.h"
#include "api/limits.h"
#include "api/new_backup.h"
#include "api/sgc_state.h"
#include "base/time.h"

namespace manman::api {
namespace {

constexpr int kKeptRuns = 1000;
constexpr int64_t kLookAgainSeconds = 2;

std::string sgc_name(int64_t sgc_id) {
  return "SGC " + std::to_string(sgc_id);
}

// Why there is nothing to back up; "" when there may be.
Result<std::string> nothing_to_do(db::Transaction& tx, const ServerGameConfig& sgc) {
  if (!sgc.active) return sgc_name(sgc.sgc_id) + " is inactive";
  const auto any = TRY(db::sessions::list(tx, {.sgc_id = sgc.sgc_id}, db::Page{.size = 1}));
  if (any.empty()) return sgc_name(sgc.sgc_id) + " has had no session yet: it has no save data";
  return std::string();
}

// What a backup has to wait for.
Result<void> check_can_be_made(const Context& context, db::Transaction& tx,
                               const Deployment& deployment) {
  const Server& server = deployment.server;
  const int64_t silent_ms = context.clock.now_ms() - server.last_seen * 1000;
  if (!server.online || silent_ms > context.config.offline_after.count() + 1000)
    return fail(Code::kFailedPrecondition,
                "server " + std::to_string(server.server_id) + " (" + server.name + ") is offline");
  TRY(check_no_backup(tx, deployment.sgc.sgc_id));
  TRY(check_no_restore(tx, deployment.sgc.sgc_id));
  TRY(check_no_undo(tx, deployment.sgc.sgc_id));
  return check_limits(context, tx, deployment);
}

Result<void> note_missed(const Context& context, db::Transaction& tx, const BackupPolicy& policy,
                         const std::string& what) {
  return note_event(context, tx,
                    {.kind = EventKind::kPolicyMissed,
                     .actor = "scheduler",
                     .sgc_id = policy.sgc_id,
                     .policy_id = policy.policy_id,
                     .message = "policy " + policy.name + ": " + what});
}

Result<void> add_missed(const Context& context, db::Transaction& tx, const BackupPolicy& policy,
                        int64_t first_due_at, int64_t count, const std::string& reason) {
  const auto made = TRY(db::policy_runs::create(tx, {.policy_id = policy.policy_id,
                                                     .due_at = first_due_at,
                                                     .outcome = RunOutcome::kMissed,
                                                     .reason = reason,
                                                     .missed_count = count,
                                                     .at = context.clock.now_s()}));
  if (!made) return {};  // this was written down before
  return note_missed(context, tx, policy,
                     std::to_string(count) + " due time(s) missed, the first at " +
                         format_utc(first_due_at) + ": " + reason);
}

std::string while_waiting(const PolicyRun& waits) {
  return "run " + std::to_string(waits.run_id) + " was still waiting";
}

// Times that pass while a run waits are counted in one row, the one after it.
Result<void> miss_while_waiting(const Context& context, db::Transaction& tx,
                                const BackupPolicy& policy, const PolicyRun& waits, int64_t count) {
  auto missed = TRY(db::policy_runs::missed_after(tx, policy.policy_id, waits.run_id));
  if (!missed)
    return add_missed(context, tx, policy, policy.next_due_at, count, while_waiting(waits));
  missed->missed_count += count;
  missed->at = context.clock.now_s();
  return db::policy_runs::update(tx, *missed);
}

}  // namespace

Result<int64_t> next_due(const BackupPolicy& policy, int64_t after_s) {
  if (policy.paused) return 0;
  const DueTimes times = TRY(DueTimes::of(policy.schedule, policy.policy_id, policy.created_at));
  return times.next_after(after_s).value_or(0);
}

Result<std::optional<PolicyRun>> record_run(db::Transaction& tx, const BackupPolicy& policy,
                                            RunTrigger trigger, int64_t due_at, int64_t now_s,
                                            int64_t session_id) {
  TRY(db::policy_runs::prune(tx, policy.policy_id, kKeptRuns));
  return db::policy_runs::create(tx, {.policy_id = policy.policy_id,
                                      .trigger = trigger,
                                      .due_at = due_at,
                                      .session_id = session_id,
                                      .at = now_s,
                                      .look_again_at = now_s});
}

Result<void> conclude_run(const Context& context, db::Transaction& tx, PolicyRun& run,
                          RunOutcome outcome, const std::string& reason) {
  run.outcome = outcome;
  run.reason = reason;
  run.at = context.clock.now_s();
  TRY(db::policy_runs::update(tx, run));
  if (outcome != RunOutcome::kFailed) return {};
  return note_missed(context, tx, TRY(db::policies::get(tx, run.policy_id)), reason);
}

Result<void> attempt_run(const Context& context, db::Transaction& tx, const BackupPolicy& policy,
                         PolicyRun& run) {
  const int64_t now_s = context.clock.now_s();
  const Deployment deployment =
      TRY(deployment_of(tx, context.config.profiles, policy.sgc_id, policy.policy_id));
  if (const std::string why = TRY(nothing_to_do(tx, deployment.sgc)); !why.empty())
    return conclude_run(context, tx, run, RunOutcome::kSkipped, why);
  if (!deployment.handled)
    return conclude_run(context, tx, run, RunOutcome::kFailed, deployment.handled.error().text());
  if (const auto can = check_can_be_made(context, tx, deployment); !can) {
    if (can.error().code != Code::kFailedPrecondition &&
        can.error().code != Code::kResourceExhausted)
      return can;
    run.look_again_at = now_s + kLookAgainSeconds;
    return conclude_run(context, tx, run, RunOutcome::kWaiting, can.error().message);
  }
  TRY(begin_backup(context, tx,
                   {.sgc_id = policy.sgc_id,
                    .description = "policy " + policy.name,
                    .policy_id = policy.policy_id},
                   &run));
  return {};
}

Result<void> take_due(const Context& context, db::Transaction& tx, BackupPolicy& policy) {
  const int64_t now_s = context.clock.now_s();
  const DueTimes times = TRY(DueTimes::of(policy.schedule, policy.policy_id, policy.created_at));
  const DueTimes::Passed passed = times.passed(policy.next_due_at, now_s);
  const auto waiting = TRY(db::policy_runs::waiting_of(tx, policy.policy_id));
  const auto waits = std::ranges::find(waiting, RunTrigger::kSchedule, &PolicyRun::trigger);
  if (waits != waiting.end()) {
    TRY(miss_while_waiting(context, tx, policy, *waits, passed.missed + 1));
  } else {
    if (passed.missed > 0)
      TRY(add_missed(context, tx, policy, policy.next_due_at, passed.missed,
                     "the service was away, or could not keep up"));
    auto run = TRY(record_run(tx, policy, RunTrigger::kSchedule, passed.latest, now_s));
    if (run) TRY(attempt_run(context, tx, policy, *run));
  }
  policy.next_due_at = passed.next.value_or(0);
  return db::policies::update(tx, policy);
}

Result<void> miss_due(const Context& context, db::Transaction& tx, const BackupPolicy& policy,
                      const std::string& reason) {
  const int64_t now_s = context.clock.now_s();
  if (policy.next_due_at == 0 || policy.next_due_at > now_s) return {};
  const DueTimes times = TRY(DueTimes::of(policy.schedule, policy.policy_id, policy.created_at));
  return add_missed(context, tx, policy, policy.next_due_at,
                    times.passed(policy.next_due_at, now_s).missed + 1, reason);
}

Result<void> note_session_end(db::Transaction& tx, const Session& session, int64_t now_s) {
  for (const BackupPolicy& policy : TRY(db::policies::of_sgc(tx, session.sgc_id))) {
    if (policy.schedule.at_session_end && !policy.paused)
      TRY(record_run(tx, policy, RunTrigger::kSessionEnd, session.ended_at, now_s,
                     session.session_id));
  }
  return {};
}

}  // namespace manman::api
