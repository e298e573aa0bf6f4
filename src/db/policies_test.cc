#include <gmock/gmock.h>

#include "db/test_database.h"

namespace manman::db {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class PoliciesTest : public EveryDatabase {
 protected:
  BackupPolicy make(const BackupPolicy& policy) {
    return in_tx([&](Transaction& tx) { return policies::create(tx, policy); });
  }
  std::optional<PolicyRun> record(const PolicyRun& run) {
    return in_tx([&](Transaction& tx) { return policy_runs::create(tx, run); });
  }
  std::vector<PolicyRun> runs(int64_t policy_id, const Page& page = {}) {
    return in_tx([&](Transaction& tx) { return policy_runs::list(tx, policy_id, page); });
  }
  std::vector<int64_t> due(int64_t now) {
    return in_tx([&](Transaction& tx) { return policies::due(tx, now, 10); });
  }
};
INSTANTIATE_TEST_SUITE_P(All, PoliciesTest, testing::ValuesIn(database_kinds()), kind_name);

TEST_P(PoliciesTest, ARowComesBackAsItWas) {
  BackupPolicy policy{.sgc_id = make_sgc(), .name = "nightly"};
  policy.schedule = {.cron = "30 4 * * *",
                     .zone = "Europe/Berlin",
                     .jitter_seconds = 600,
                     .at_session_end = true,
                     .before_restore = true};
  policy.paused = true;
  policy.format = "zst";
  policy.level = "9";
  policy.handling = R"({"leave_out":["*.log"]})";
  policy.upload_bytes_per_second = int64_t{5} << 32;
  policy.skip_unchanged = true;
  policy.keep = {.last = 3, .daily = KeepRules::kAll, .within = {.years = 1, .hours = 6}};
  policy.keep.max_total_bytes = int64_t{7} << 40;
  policy.created_at = 1'800'000'000;
  policy.updated_at = 1'800'000'001;
  policy.next_due_at = 1'800'000'002;
  const BackupPolicy made = make(policy);
  const BackupPolicy got =
      in_tx([&](Transaction& tx) { return policies::hold(tx, made.policy_id); });
  EXPECT_EQ(got.name, "nightly");
  EXPECT_EQ(got.schedule, policy.schedule);
  EXPECT_TRUE(got.paused);
  EXPECT_EQ(got.format, "zst");
  EXPECT_EQ(got.level, "9");
  EXPECT_EQ(got.handling, policy.handling);
  EXPECT_EQ(got.upload_bytes_per_second, policy.upload_bytes_per_second);
  EXPECT_TRUE(got.skip_unchanged);
  EXPECT_EQ(got.keep, policy.keep);
  EXPECT_EQ(got.created_at, policy.created_at);
  EXPECT_EQ(got.updated_at, policy.updated_at);
  EXPECT_EQ(got.next_due_at, policy.next_due_at);
}

TEST_P(PoliciesTest, ANameIsUniqueWithinItsSgc) {
  const int64_t sgc = make_sgc();
  make({.sgc_id = sgc, .name = "nightly"});
  make({.sgc_id = make_sgc(), .name = "nightly"});
  BackupPolicy other = make({.sgc_id = sgc, .name = "hourly"});
  const Error taken = error_of(
      [&](Transaction& tx) { return policies::create(tx, {.sgc_id = sgc, .name = "nightly"}); });
  EXPECT_EQ(taken.code, Code::kAlreadyExists);
  EXPECT_THAT(taken.message, HasSubstr("has a policy \"nightly\" already"));
  other.name = "nightly";
  EXPECT_EQ(error_of([&](Transaction& tx) { return policies::update(tx, other); }).code,
            Code::kAlreadyExists);
}

TEST_P(PoliciesTest, DueAreThoseWhoseTimeHasCome) {
  const int64_t sgc = make_sgc();
  const int64_t later = make({.sgc_id = sgc, .name = "a", .next_due_at = 200}).policy_id;
  const int64_t first = make({.sgc_id = sgc, .name = "b", .next_due_at = 100}).policy_id;
  make({.sgc_id = sgc, .name = "c"});
  EXPECT_THAT(due(99), IsEmpty());
  EXPECT_THAT(due(100), ElementsAre(first));
  EXPECT_THAT(due(1000), ElementsAre(first, later));
}

TEST_P(PoliciesTest, AnOccasionHasOneRun) {
  const int64_t policy = make({.sgc_id = make_sgc(), .name = "p"}).policy_id;
  EXPECT_TRUE(record({.policy_id = policy, .due_at = 100}));
  EXPECT_FALSE(record({.policy_id = policy, .due_at = 100}));
  EXPECT_TRUE(record({.policy_id = policy, .trigger = RunTrigger::kManual, .due_at = 100}));
  EXPECT_TRUE(record({.policy_id = policy, .trigger = RunTrigger::kManual, .due_at = 100}));
  const PolicyRun end{
      .policy_id = policy, .trigger = RunTrigger::kSessionEnd, .due_at = 100, .session_id = 5};
  EXPECT_TRUE(record(end));
  EXPECT_FALSE(record(end));
  EXPECT_EQ(runs(policy).size(), 4U);
  EXPECT_EQ(runs(policy, {.size = 2}).front().session_id, 5);
}

TEST_P(PoliciesTest, RunsThatWaitAreFoundAgainAndPruningSparesThem) {
  const int64_t policy = make({.sgc_id = make_sgc(), .name = "p"}).policy_id;
  PolicyRun waits = *record({.policy_id = policy, .due_at = 1, .look_again_at = 50});
  for (int64_t due_at = 2; due_at < 10; due_at++)
    record({.policy_id = policy, .due_at = due_at, .outcome = RunOutcome::kStarted});
  const PolicyRun missed = *record(
      {.policy_id = policy, .due_at = 10, .outcome = RunOutcome::kMissed, .missed_count = 3});
  const auto waiting = [&](int64_t now) {
    return in_tx([&](Transaction& tx) { return policy_runs::waiting(tx, now, 10); }).size();
  };
  EXPECT_EQ(waiting(49), 0U);
  EXPECT_EQ(waiting(50), 1U);
  EXPECT_EQ(in_tx([&](Transaction& tx) {
              return policy_runs::missed_after(tx, policy, waits.run_id);
            })->run_id,
            missed.run_id);
  EXPECT_FALSE(
      in_tx([&](Transaction& tx) { return policy_runs::missed_after(tx, policy, missed.run_id); }));
  in_tx([&](Transaction& tx) { return policy_runs::prune(tx, policy, 3); });
  std::vector<int64_t> left;
  for (const PolicyRun& run : runs(policy)) left.push_back(run.due_at);
  EXPECT_THAT(left, ElementsAre(10, 9, 8, 1));
  waits.outcome = RunOutcome::kSkipped;
  waits.reason = "why";
  in_tx([&](Transaction& tx) { return policy_runs::update(tx, waits); });
  EXPECT_EQ(waiting(50), 0U);
  EXPECT_EQ(runs(policy).back().reason, "why");
}

TEST_P(PoliciesTest, WhatRefersToARowForgetsItOrGoesWithIt) {
  const int64_t sgc = make_sgc();
  const int64_t policy = make({.sgc_id = sgc, .name = "p"}).policy_id;
  const int64_t backup = in_tx([&](Transaction& tx) {
                           return backups::create(tx,
                                                  {.sgc_id = sgc,
                                                   .status = BackupStatus::kCompleted,
                                                   .policy_id = policy,
                                                   .fingerprint = "f"},
                                                  "bucket");
                         }).backup_id;
  record({.policy_id = policy, .due_at = 1, .outcome = RunOutcome::kStarted, .backup_id = backup});
  EXPECT_EQ(
      in_tx([&](Transaction& tx) { return backups::last_fingerprinted(tx, policy); })->backup_id,
      backup);
  EXPECT_EQ(in_tx([&](Transaction& tx) { return policy_runs::of_backup(tx, backup); })->due_at, 1);
  EXPECT_EQ(error_of([&](Transaction& tx) { return server_game_configs::remove(tx, sgc); }).code,
            Code::kFailedPrecondition);
  in_tx([&](Transaction& tx) { return backups::remove(tx, backup); });
  EXPECT_EQ(runs(policy).front().backup_id, 0);
  in_tx([&](Transaction& tx) { return server_game_configs::remove(tx, sgc); });
  EXPECT_EQ(error_of([&](Transaction& tx) { return policies::get(tx, policy); }).code,
            Code::kNotFound);
}

}  // namespace
}  // namespace manman::db
