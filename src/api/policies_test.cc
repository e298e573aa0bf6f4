#include "api/jobs/scheduler.h"
#include "api/test_service.h"

namespace manman::api {
namespace {

using Stub = v1::ManManAPI::Stub;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

class Policies : public ApiTest {
 protected:
  // Hosts are silent for hours, and are there all the same.
  Policies() { config_.offline_after = config_.lease = hours(24 * 3650); }

  v1::BackupPolicy policy(const std::function<void(v1::BackupPolicy&)>& say = nullptr) {
    v1::CreateBackupPolicyRequest request;
    v1::BackupPolicy& said = *request.mutable_policy();
    said.set_server_game_config_id(sgc_id_);
    said.set_name("hourly");
    said.set_every_minutes(60);
    if (say) say(said);
    return call(&Stub::CreateBackupPolicy, request).policy();
  }
  v1::BackupPolicy get_policy(int64_t id) {
    v1::GetBackupPolicyRequest request;
    request.set_policy_id(id);
    return call(&Stub::GetBackupPolicy, request).policy();
  }
  v1::BackupPolicy update(int64_t id, const std::function<void(v1::BackupPolicy&)>& say,
                          const std::vector<std::string>& clear = {}) {
    v1::UpdateBackupPolicyRequest request;
    request.mutable_policy()->set_policy_id(id);
    request.mutable_clear()->Assign(clear.begin(), clear.end());
    say(*request.mutable_policy());
    return call(&Stub::UpdateBackupPolicy, request).policy();
  }
  v1::Backup run_now(int64_t id) {
    v1::RunBackupPolicyRequest request;
    request.set_policy_id(id);
    return call(&Stub::RunBackupPolicy, request).backup();
  }
  // Newest first.
  std::vector<v1::PolicyRun> runs(int64_t id) {
    v1::ListPolicyRunsRequest request;
    request.set_policy_id(id);
    const auto response = call(&Stub::ListPolicyRuns, request);
    return {response.runs().begin(), response.runs().end()};
  }
  // "started", or "missed 3", newest first.
  std::string outcomes(int64_t id) {
    std::string text;
    for (const v1::PolicyRun& run : runs(id)) {
      text += (text.empty() ? "" : ", ") + run.outcome();
      if (run.missed_count() != 0) text += " " + std::to_string(run.missed_count());
    }
    return text;
  }
  void expect_outcomes(int64_t id, const std::string& expected) {
    EXPECT_TRUE(eventually([&] { return outcomes(id) == expected; })) << outcomes(id);
  }
  v1::Backup latest_backup(int64_t policy_id) {
    for (const v1::PolicyRun& run : runs(policy_id))
      if (run.backup_id() != 0) return get_backup(run.backup_id());
    return {};
  }
  std::vector<v1::Backup> backups() {
    const auto response = call(&Stub::ListBackups, v1::ListBackupsRequest());
    return {response.backups().begin(), response.backups().end()};
  }
  // It has been run, so it has data.
  void ended_session() { report_session(running_session().session_id(), "stopped"); }
  BackupCommand last_backup_command(ScriptedHost& host) {
    for (auto all = host.commands(); !all.empty(); all.pop_back())
      if (auto command = BackupCommand::parse(all.back().body)) return *command;
    return {};
  }
};

TEST_F(Policies, AreMadeChangedListedAndDeleted) {
  const v1::BackupPolicy made = policy([](v1::BackupPolicy& said) {
    said.clear_every_minutes();
    said.set_name("nightly");
    said.set_cron("30 4 * * *");
    said.set_zone("Europe/Berlin");
    said.set_jitter_seconds(600);
    said.set_format("zst");
    said.set_upload_bytes_per_second(5000);
    said.mutable_handling()->add_leave_out("*.log");
    said.mutable_keep()->set_daily(7);
    said.mutable_keep()->set_within("1y2d");
  });
  expect_ok();
  EXPECT_EQ(made.created_at(), clock_.now_s());
  EXPECT_GT(made.next_due_at(), clock_.now_s());
  EXPECT_LE(made.next_due_at(), clock_.now_s() + 86400 + 600);
  EXPECT_NE(made.next_due_local().find(" 04:3"), std::string::npos) << made.next_due_local();
  EXPECT_EQ(get_policy(made.policy_id()).DebugString(), made.DebugString());

  const v1::BackupPolicy changed = update(made.policy_id(),
                                          [](v1::BackupPolicy& said) {
                                            said.set_every_minutes(90);
                                            said.mutable_keep()->set_weekly(4);
                                            said.mutable_handling()->set_max_pause_seconds(9);
                                          },
                                          {"format", "leave_out"});
  expect_ok();
  EXPECT_EQ(changed.name(), "nightly");
  EXPECT_EQ(changed.every_minutes(), 90);
  EXPECT_EQ(changed.cron(), "");
  EXPECT_EQ(changed.format(), "");
  EXPECT_EQ(changed.keep().daily(), 7);
  EXPECT_EQ(changed.keep().weekly(), 4);
  EXPECT_EQ(changed.keep().within(), "1y2d");
  EXPECT_EQ(changed.handling().leave_out_size(), 0);
  EXPECT_EQ(changed.handling().max_pause_seconds(), 9);
  EXPECT_GE(changed.next_due_at(), changed.created_at() + 90 * 60);
  EXPECT_LE(changed.next_due_at(), changed.created_at() + 90 * 60 + 600);

  policy();
  v1::ListBackupPoliciesRequest list;
  list.set_server_game_config_id(sgc_id_);
  list.set_page_size(1);
  const auto first = call(&Stub::ListBackupPolicies, list);
  ASSERT_EQ(first.policies_size(), 1);
  EXPECT_EQ(first.policies(0).name(), "hourly");
  list.set_page_token(first.next_page_token());
  EXPECT_EQ(call(&Stub::ListBackupPolicies, list).policies(0).name(), "nightly");

  v1::DeleteBackupPolicyRequest gone;
  gone.set_policy_id(made.policy_id());
  call(&Stub::DeleteBackupPolicy, gone);
  expect_ok();
  get_policy(made.policy_id());
  expect_error(NOT_FOUND, "no policy");
}

TEST_F(Policies, WhatIsWrongNamesItsField) {
  const auto refused = [&](const std::function<void(v1::BackupPolicy&)>& say,
                           const std::string& part) {
    policy(say);
    expect_error(INVALID_ARGUMENT, part);
  };
  refused([](auto& said) { said.clear_name(); }, "name: must be 1 to 100");
  refused([](auto& said) { said.set_server_game_config_id(0); }, "server_game_config_id: ");
  refused([](auto& said) { said.set_cron("* * * * *"); }, "cron: is said, and every_minutes too");
  refused([](auto& said) { said.set_every_minutes(-5); }, "every_minutes: ");
  refused([](auto& said) { said.clear_every_minutes(); }, "cron: must be said");
  refused([](auto& said) { said.set_jitter_seconds(3600); }, "jitter_seconds: ");
  refused([](auto& said) { said.set_format("rar"); }, "format");
  refused([](auto& said) { said.set_level("77"); }, "level");
  refused([](auto& said) { said.mutable_keep()->set_daily(-2); }, "keep.daily: ");
  refused([](auto& said) { said.mutable_keep()->set_within("7w"); }, "keep.within: \"7w\" must");
  refused([](auto& said) { said.set_upload_bytes_per_second(-1); }, "upload_bytes_per_second: ");
  refused([](auto& said) { said.mutable_handling()->add_leave_out("[a"); }, "leave_out[0]");
  const int64_t id = policy().policy_id();
  expect_ok();
  policy();
  expect_error(ALREADY_EXISTS, "has a policy \"hourly\" already");
  update(id, [](auto&) {}, {"colour"});
  expect_error(INVALID_ARGUMENT, "clear: \"colour\" is no field");
  update(id, [](auto&) {}, {"every_minutes"});
  expect_error(INVALID_ARGUMENT, "cron: must be said");
  update(id, [](auto& said) { said.set_cron("0 0 31 2 *"); });
  expect_error(INVALID_ARGUMENT, "cron: day of month 31 is in none of its months");
}

TEST_F(Policies, ADueTimeMakesOneBackup) {
  ended_session();
  ScriptedHost host(bus_, server_id_);
  const v1::BackupPolicy made = policy([](auto& said) {
    said.set_upload_bytes_per_second(4096);
    said.set_format("zst");
    said.mutable_handling()->add_leave_out("*.log");
  });
  clock_.advance(minutes(60) - seconds(1));
  EXPECT_EQ(outcomes(made.policy_id()), "");
  clock_.advance(seconds(1));
  expect_outcomes(made.policy_id(), "started");
  const v1::PolicyRun run = runs(made.policy_id()).front();
  EXPECT_EQ(run.due_at(), made.created_at() + 3600);
  EXPECT_EQ(run.trigger(), "schedule");
  const v1::Backup backup = get_backup(run.backup_id());
  EXPECT_EQ(backup.policy_id(), made.policy_id());
  EXPECT_EQ(backup.format(), "zst");
  EXPECT_EQ(backup.description(), "policy hourly");
  ASSERT_TRUE(eventually([&] { return last_backup_command(host).backup_id != 0; }));
  const BackupCommand command = last_backup_command(host);
  EXPECT_EQ(command.backup_id, backup.backup_id());
  EXPECT_EQ(command.upload_bytes_per_second, 4096);
  EXPECT_EQ(command.launch.handling.leave_out, std::vector<std::string>{"*.log"});
  EXPECT_EQ(get_policy(made.policy_id()).next_due_at(), made.created_at() + 7200);
}

TEST_F(Policies, WaitsWhileAnotherBackupIsAtWorkAndIsMadeOnce) {
  ended_session();
  const v1::Backup other = create_backup();
  const int64_t id = policy().policy_id();
  clock_.advance(hours(1));
  expect_outcomes(id, "waiting");
  EXPECT_NE(runs(id)[0].reason().find("backup " + std::to_string(other.backup_id())),
            std::string::npos);
  clock_.advance(hours(1));
  expect_outcomes(id, "missed 1, waiting");
  clock_.advance(hours(3));
  expect_outcomes(id, "missed 4, waiting");
  report(completed(get_backup(other.backup_id())));
  clock_.advance(seconds(3));
  expect_outcomes(id, "missed 4, started");
  EXPECT_EQ(runs(id)[1].due_at() + 3600, runs(id)[0].due_at());
  EXPECT_EQ(backups().size(), 2U);
}

TEST_F(Policies, WaitsForAHostThatIsAway) {
  ended_session();
  const int64_t id = policy().policy_id();
  good(database_->transact(
      [&](db::Transaction& tx) { return db::servers::mark_offline(tx, clock_.now_s() + 1); }));
  clock_.advance(hours(1));
  expect_outcomes(id, "waiting");
  EXPECT_EQ(runs(id)[0].reason(), "server " + std::to_string(server_id_) + " (box) is offline");
  good(bus_.publish({host_health_key(server_id_), HostHealth{server_id_}.to_json()}));
  EXPECT_TRUE(eventually([&] {
    clock_.advance(seconds(2));
    return outcomes(id) == "started";
  }));
}

TEST_F(Policies, AfterTheServiceWasAwayOneIsMadeAndTheOthersAreMissed) {
  ended_session();
  const v1::BackupPolicy made = policy();
  service_.reset();
  clock_.advance(hours(10) + minutes(5));
  start();
  expect_outcomes(made.policy_id(), "started, missed 9");
  EXPECT_EQ(runs(made.policy_id())[0].due_at(), made.created_at() + 10 * 3600);
  EXPECT_EQ(runs(made.policy_id())[1].due_at(), made.created_at() + 3600);
  EXPECT_EQ(get_policy(made.policy_id()).next_due_at(), made.created_at() + 11 * 3600);
  EXPECT_EQ(backups().size(), 1U);
}

TEST_F(Policies, AnSgcWithNoDataIsSkippedAndNothingFails) {
  const int64_t id = policy().policy_id();
  clock_.advance(hours(1));
  expect_outcomes(id, "skipped");
  EXPECT_NE(runs(id)[0].reason().find("has had no session yet"), std::string::npos);
  // The host finds that no session has left any.
  ended_session();
  clock_.advance(hours(1));
  expect_outcomes(id, "started, skipped");
  const v1::Backup backup = latest_backup(id);
  BackupReport none{.backup_id = backup.backup_id(), .status = "failed"};
  none.error_message = "no save data";
  none.skipped = true;
  report(none);
  report(none);
  expect_outcomes(id, "skipped, skipped");
  EXPECT_EQ(runs(id)[0].reason(), "no save data");
  get_backup(backup.backup_id());
  expect_error(NOT_FOUND, "no backup");
}

TEST_F(Policies, APausedPolicyMakesAndMissesNothing) {
  ended_session();
  const v1::Backup other = create_backup();
  const int64_t id = policy().policy_id();
  clock_.advance(hours(1));
  expect_outcomes(id, "waiting");
  EXPECT_EQ(update(id, [](auto& said) { said.set_paused(true); }).next_due_at(), 0);
  expect_outcomes(id, "skipped");
  EXPECT_EQ(runs(id)[0].reason(), "the policy was paused");
  report(completed(other));
  clock_.advance(hours(5) + minutes(1));
  const v1::BackupPolicy resumed = update(id, [](auto& said) { said.set_paused(false); });
  EXPECT_EQ(resumed.next_due_at(), resumed.created_at() + 7 * 3600);
  EXPECT_EQ(outcomes(id), "skipped");
  clock_.advance(hours(1));
  expect_outcomes(id, "started, skipped");
}

TEST_F(Policies, RunNowIsABackupAsThePolicyMakesThem) {
  const int64_t id = policy([](auto& said) {
                       said.set_format("none");
                       said.set_paused(true);
                     }).policy_id();
  const v1::Backup backup = run_now(id);
  expect_ok();
  EXPECT_EQ(backup.format(), "none");
  EXPECT_EQ(backup.policy_id(), id);
  EXPECT_EQ(runs(id)[0].trigger(), "manual");
  EXPECT_EQ(runs(id)[0].backup_id(), backup.backup_id());
  run_now(id);
  expect_error(FAILED_PRECONDITION, "one backup or restore at a time");
  EXPECT_EQ(runs(id).size(), 1U);
}

TEST_F(Policies, TheEndOfASessionIsOneOccasion) {
  const int64_t id = policy([](auto& said) {
                       said.clear_every_minutes();
                       said.set_at_session_end(true);
                     }).policy_id();
  for (const char* end : {"stopped", "crashed", "completed"}) {
    const int64_t session = running_session().session_id();
    report_session(session, end);
    report_session(session, end);
    ASSERT_TRUE(eventually([&] { return runs(id)[0].outcome() == "started"; })) << outcomes(id);
    EXPECT_EQ(runs(id)[0].session_id(), session);
    EXPECT_EQ(runs(id)[0].trigger(), "session-end");
    report(completed(latest_backup(id)));
  }
  expect_outcomes(id, "started, started, started");
}

class Unchanged : public Policies {
 protected:
  // A policy that has a good backup with a fingerprint, and the second one that it has ordered.
  void SetUp() override {
    Policies::SetUp();
    ended_session();
    host_ = std::make_unique<ScriptedHost>(bus_, server_id_);
    id_ = policy([](auto& said) { said.set_skip_unchanged(true); }).policy_id();
    clock_.advance(hours(1));
    expect_outcomes(id_, "started");
    first_ = latest_backup(id_);
    ASSERT_TRUE(
        eventually([&] { return last_backup_command(*host_).backup_id == first_.backup_id(); }));
    EXPECT_TRUE(last_backup_command(*host_).fingerprint);
    EXPECT_EQ(last_backup_command(*host_).last_fingerprint, "");
    put_object(key_of(first_), "bytes");
    BackupReport done = completed(first_);
    done.fingerprint = "abc";
    report(done);
    clock_.advance(hours(1));
    expect_outcomes(id_, "started, started");
    second_ = latest_backup(id_);
    ASSERT_TRUE(
        eventually([&] { return last_backup_command(*host_).backup_id == second_.backup_id(); }));
    EXPECT_EQ(last_backup_command(*host_).last_fingerprint, "abc");
    EXPECT_EQ(last_backup_command(*host_).last_backup_id, first_.backup_id());
    unchanged_ = {.backup_id = second_.backup_id(), .status = "failed"};
    unchanged_.error_message = "nothing changed since backup 1";
    unchanged_.skipped = true;
    unchanged_.unchanged_since_backup_id = first_.backup_id();
  }

  std::unique_ptr<ScriptedHost> host_;
  int64_t id_ = 0;
  v1::Backup first_, second_;
  BackupReport unchanged_;
};

TEST_F(Unchanged, IsSkippedAndItsRowGoes) {
  report(unchanged_);
  report(unchanged_);
  expect_outcomes(id_, "skipped, started");
  EXPECT_EQ(runs(id_)[0].reason(), "nothing changed since backup 1");
  EXPECT_EQ(backups().size(), 1U);
  // Late, and of what is gone.
  report({.backup_id = second_.backup_id(), .status = "running"});
  EXPECT_EQ(backups().size(), 1U);
}

TEST_F(Unchanged, IsMadeAfterAllWhenTheBackupThatStoodForItIsGone) {
  delete_backup(first_.backup_id());
  expect_ok();
  report(unchanged_);
  clock_.advance(seconds(3));
  ASSERT_TRUE(eventually([&] { return latest_backup(id_).backup_id() > second_.backup_id(); }));
  const int64_t third = latest_backup(id_).backup_id();
  ASSERT_TRUE(eventually([&] { return last_backup_command(*host_).backup_id == third; }));
  EXPECT_EQ(last_backup_command(*host_).last_fingerprint, "");
}

TEST_F(Unchanged, APersonWhoAsksGetsABackup) {
  report(unchanged_);
  const v1::Backup asked = run_now(id_);
  ASSERT_TRUE(
      eventually([&] { return last_backup_command(*host_).backup_id == asked.backup_id(); }));
  EXPECT_EQ(last_backup_command(*host_).last_fingerprint, "");
}

class BeforeRestore : public Policies {
 protected:
  void SetUp() override {
    Policies::SetUp();
    ended_session();
    restored_ = completed_backup();
    host_ = std::make_unique<ScriptedHost>(bus_, server_id_);
    id_ = policy([](auto& said) {
            said.clear_every_minutes();
            said.set_before_restore(true);
          }).policy_id();
    session_ = start_session(restored_.backup_id());
    expect_ok();
    safety_ = get_backup(session_.waits_for_backup_id());
    expect_ok();
  }
  bool start_was_ordered() {
    for (const Message& message : host_->commands())
      if (StartSessionCommand::parse(message.body)) return true;
    return false;
  }

  std::unique_ptr<ScriptedHost> host_;
  int64_t id_ = 0;
  v1::Backup restored_, safety_;
  v1::Session session_;
};

TEST_F(BeforeRestore, TheBackupComesFirst) {
  EXPECT_EQ(session_.status(), "pending");
  EXPECT_EQ(safety_.policy_id(), id_);
  EXPECT_EQ(runs(id_)[0].session_id(), session_.session_id());
  host_->command(0);
  report({.backup_id = safety_.backup_id(), .status = "running"});
  EXPECT_FALSE(start_was_ordered());
  service_.reset();
  start();
  report(completed(get_backup(safety_.backup_id())));
  EXPECT_TRUE(eventually([&] { return start_was_ordered(); }));
  const v1::Session session = get_session(session_.session_id());
  EXPECT_EQ(session.waits_for_backup_id(), 0);
  EXPECT_EQ(session.status(), "pending");
  report_session(session.session_id(), "running");
  EXPECT_EQ(get_session(session.session_id()).status(), "running");
}

TEST_F(BeforeRestore, NothingIsRestoredWhenTheBackupFails) {
  report({.backup_id = safety_.backup_id(), .status = "failed", .error_message = "disk on fire"});
  const v1::Session session = get_session(session_.session_id());
  EXPECT_EQ(session.status(), "crashed");
  EXPECT_NE(session.error_message().find("disk on fire; nothing was restored"), std::string::npos)
      << session.error_message();
  EXPECT_FALSE(start_was_ordered());
  // Without the policy it goes on.
  update(id_, [](auto& said) { said.set_paused(true); });
  EXPECT_EQ(start_session(restored_.backup_id()).waits_for_backup_id(), 0);
}

TEST_F(BeforeRestore, NothingIsRestoredWhenTheBackupIsCancelled) {
  v1::CancelBackupRequest cancel;
  cancel.set_backup_id(safety_.backup_id());
  call(&Stub::CancelBackup, cancel);
  expect_ok();
  EXPECT_EQ(get_session(session_.session_id()).status(), "crashed");
}

TEST_F(BeforeRestore, WhatHasNoDataIsRestoredAtOnce) {
  BackupReport none{.backup_id = safety_.backup_id(), .status = "failed"};
  none.error_message = "no save data";
  none.skipped = true;
  report(none);
  EXPECT_TRUE(eventually([&] { return start_was_ordered(); }));
}

TEST_F(BeforeRestore, ASessionThatWaitsCanBeStopped) {
  EXPECT_EQ(stop_session(session_.session_id()).status(), "stopped");
  expect_ok();
  report(completed(safety_));
  EXPECT_EQ(get_session(session_.session_id()).status(), "stopped");
  EXPECT_FALSE(start_was_ordered());
}

}  // namespace
}  // namespace manman::api
