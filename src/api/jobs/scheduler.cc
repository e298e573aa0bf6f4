#include "api/jobs/scheduler.h"

#include "api/policy_runs.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "db/repositories.h"

namespace manman::api {
namespace {

constexpr int kBatch = 100;

// A policy as it is now, its row held; nothing when it is gone.
Result<std::optional<BackupPolicy>> hold(db::Transaction& tx, int64_t policy_id) {
  auto policy = db::policies::hold(tx, policy_id);
  if (!policy && policy.error().code == Code::kNotFound) return std::nullopt;
  return TRY(std::move(policy));
}

Result<void> take_one_due(const Context& context, db::Transaction& tx, int64_t policy_id) {
  auto policy = TRY(hold(tx, policy_id));
  // Another process was faster, or it was paused meanwhile.
  if (!policy || policy->next_due_at == 0 || policy->next_due_at > context.clock.now_s()) return {};
  return take_due(context, tx, *policy);
}

// What no retry helps is written down once, and the policy goes on to its next time.
Result<void> give_up_due(const Context& context, db::Transaction& tx, int64_t policy_id,
                         const Error& why) {
  auto policy = TRY(hold(tx, policy_id));
  const int64_t now_s = context.clock.now_s();
  if (!policy || policy->next_due_at == 0 || policy->next_due_at > now_s) return {};
  auto run = TRY(record_run(tx, *policy, RunTrigger::kSchedule, policy->next_due_at, now_s));
  if (run) TRY(conclude_run(context, tx, *run, RunOutcome::kFailed, why.text()));
  policy->next_due_at = next_due(*policy, now_s).value_or(0);
  return db::policies::update(tx, *policy);
}

Result<std::optional<PolicyRun>> still_waiting(db::Transaction& tx, int64_t run_id) {
  auto run = db::policy_runs::get(tx, run_id);
  if (!run && run.error().code == Code::kNotFound) return std::nullopt;
  if (run && run->outcome != RunOutcome::kWaiting) return std::nullopt;
  return TRY(std::move(run));
}

Result<void> attempt_one(const Context& context, db::Transaction& tx, const PolicyRun& row) {
  const auto policy = TRY(hold(tx, row.policy_id));
  auto run = TRY(still_waiting(tx, row.run_id));
  if (!policy || !run || run->look_again_at > context.clock.now_s()) return {};
  return attempt_run(context, tx, *policy, *run);
}

Result<void> give_up_waiting(const Context& context, db::Transaction& tx, const PolicyRun& row,
                             const Error& why) {
  auto run = TRY(still_waiting(tx, row.run_id));
  if (!run) return {};
  return conclude_run(context, tx, *run, RunOutcome::kFailed, why.text());
}

}  // namespace

Scheduler::Scheduler(const Context& context)
    : context_(context),
      ticker_("scheduler", context.config.job_interval, [this] { run_once(); }) {}

void Scheduler::run_once() {
  if (const auto done = take_all_due(); !done)
    log_warn({}, "scheduler, due policies: {}", done.error().text());
  if (const auto done = attempt_waiting(); !done)
    log_warn({}, "scheduler, waiting runs: {}", done.error().text());
}

void Scheduler::complain(int64_t policy_id, const Error& error) {
  if (complained_.insert(policy_id).second)
    log_error({}, "policy {} can't be run: {}", policy_id, error.text());
}

Result<void> Scheduler::take_all_due() {
  const auto due = TRY(context_.database.look(
      [&](db::Transaction& tx) { return db::policies::due(tx, context_.clock.now_s(), kBatch); }));
  for (const int64_t policy_id : due) {
    auto taken = context_.database.transact(
        [&](db::Transaction& tx) { return take_one_due(context_, tx, policy_id); });
    TRY(failpoint::pass("api.scheduler.committed"));
    context_.commands_waiting();
    if (taken) continue;
    const Error why = taken.error();
    if (why.retryable || why.code == Code::kUnavailable || why.code == Code::kAborted) return taken;
    complain(policy_id, why);
    const auto given_up = context_.database.transact(
        [&](db::Transaction& tx) { return give_up_due(context_, tx, policy_id, why); });
    if (!given_up) complain(policy_id, given_up.error());
  }
  return {};
}

Result<void> Scheduler::attempt_waiting() {
  const auto waiting = TRY(context_.database.look([&](db::Transaction& tx) {
    return db::policy_runs::waiting(tx, context_.clock.now_s(), kBatch);
  }));
  for (const PolicyRun& row : waiting) {
    auto attempted = context_.database.transact(
        [&](db::Transaction& tx) { return attempt_one(context_, tx, row); });
    TRY(failpoint::pass("api.scheduler.attempted"));
    context_.commands_waiting();
    if (attempted) continue;
    const Error why = attempted.error();
    if (why.retryable || why.code == Code::kUnavailable || why.code == Code::kAborted)
      return attempted;
    complain(row.policy_id, why);
    const auto given_up = context_.database.transact(
        [&](db::Transaction& tx) { return give_up_waiting(context_, tx, row, why); });
    if (!given_up) complain(row.policy_id, given_up.error());
  }
  return {};
}

}  // namespace manman::api
