#include <algorithm>
#include <cstdlib>
#include <map>
#include <optional>
#include <random>
#include <set>

#include "api/archive_check.h"
#include "api/jobs/deleter.h"
#include "api/jobs/retention_job.h"
#include "api/jobs/scheduler.h"
#include "api/new_backup.h"
#include "api/status/apply.h"
#include "api/test_service.h"
#include "base/failpoint.h"
#include "domain/retention_model_for_tests.h"
#include "domain/time_zone.h"

// A year of 20 SGCs with policies of every kind, in which hosts and the service are away, backups
// fail or turn out to be damaged, sessions end, and people make backups of their own and pin some.
// After each step it is looked whether each run that waits has a reason to, whether retention has
// left what a model of its rules leaves, and whether each SGC still has its last good backup; at
// the end whether each due time was met exactly once.
namespace manman::api {
namespace {

constexpr int64_t kBegin = 1'767'225'600;  // 2026-01-01
constexpr int64_t kYear = int64_t{365} * 86400;
constexpr int kServers = 4;
constexpr int kSgcs = 20;

class SchedulerYear : public testing::Test {
 protected:
  SchedulerYear() {
    // Thousands of transactions: in memory, where there is a folder for that.
    const char* before = std::getenv("TMPDIR");
    const std::string folder = before == nullptr ? "" : before;
    if (std::filesystem::is_directory("/dev/shm")) setenv("TMPDIR", "/dev/shm", 1);
    place_ = db::database_kinds().back().make();
    std::string name = (std::filesystem::temp_directory_path() / "year_test.XXXXXX").string();
    dir_ = ::mkdtemp(name.data());
    folder.empty() ? unsetenv("TMPDIR") : setenv("TMPDIR", folder.c_str(), 1);
    database_ = place_->open();
    good(database_->migrate());
    store_ = good(open_folder_store(dir_ / "store", "manman"));
    clock_.set(kBegin);
    config_.verify.after_upload = VerifiedHow::kNot;  // nobody verifies here
    made_context_.emplace(Context{config_, *database_, bus_, *store_, clock_, counters_});
    scheduler_ = std::make_unique<Scheduler>(*made_context_);
    deleter_ = std::make_unique<Deleter>(*made_context_);
    retention_ = std::make_unique<RetentionJob>(*made_context_, *deleter_);
  }
  ~SchedulerYear() override {
    good(failpoint::configure(""));
    retention_.reset();
    deleter_.reset();
    scheduler_.reset();
    database_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(dir_, ignored);
  }

  template <typename F>
  auto in_tx(F&& work) {
    return good(database_->transact(std::forward<F>(work)));
  }
  const Context& context() const { return *made_context_; }
  int64_t now() const { return clock_.now_s(); }
  int64_t pick(int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(random_);
  }

  void deploy() {
    in_tx([&](db::Transaction& tx) -> Result<void> {
      for (int i = 0; i < kServers; i++)
        servers_.push_back(
            TRY(db::servers::ensure(tx, "s" + std::to_string(i), "", now())).server_id);
      const Game game = TRY(db::games::create(tx, {.name = "game"}));
      GameConfig config{.game_id = game.game_id, .name = "config"};
      config.entrypoint = {"/bin/game"};
      config = TRY(db::game_configs::create(tx, config));
      for (int i = 0; i < kSgcs; i++) {
        const int64_t sgc = TRY(db::server_game_configs::create(
            tx, {.server_id = servers_[i % kServers], .game_config_id = config.config_id}))
        .sgc_id;
        sgcs_.push_back(sgc);
        if (i != 0)  // the first never has any data
          TRY(db::sessions::create(tx, {.sgc_id = sgc, .status = SessionStatus::kCompleted}));
      }
      return {};
    });
    const Schedule kinds[] = {
        {.cron = "30 4 * * *", .zone = "Europe/Berlin"},
        {.cron = "30 2 * * *", .zone = "America/New_York", .jitter_seconds = 600},
        {.cron = "15 2 * * 6,0", .zone = "Australia/Lord_Howe"},
        {.cron = "0 0 13 * 5"},
        {.cron = "@monthly", .zone = "Asia/Kathmandu"},
        {.every_minutes = 12 * 60, .jitter_seconds = 3000},
        {.every_minutes = 3 * 24 * 60 + 17},
        {.cron = "45 23 28-31 * *", .at_session_end = true},
        {.at_session_end = true},
        {.cron = "@weekly", .zone = "America/Sao_Paulo", .jitter_seconds = 80000},
    };
    const KeepRules keeps[] = {
        {.last = 3},
        {.daily = 7, .weekly = 4, .monthly = 6},
        {.within = good(calendar_span_from("1m2d"))},
        {.max_total_bytes = 200},
        {},
        {.last = 1, .yearly = 1},
        {.hourly = 24, .daily = KeepRules::kAll, .max_total_bytes = 900},
    };
    for (int i = 0; i < kSgcs; i++)
      add_policy(sgcs_[i], kinds[i % std::size(kinds)], keeps[i % std::size(keeps)], "first");
    for (int i = 1; i < kSgcs; i += 4)
      add_policy(sgcs_[i], {.cron = "31 4 * * 1,4"}, {.weekly = 5}, "second");
  }

  void add_policy(int64_t sgc_id, const Schedule& schedule, const KeepRules& keep,
                  const std::string& name) {
    const BackupPolicy made = in_tx([&](db::Transaction& tx) -> Result<BackupPolicy> {
      BackupPolicy policy{
          .sgc_id = sgc_id, .name = name, .schedule = schedule, .keep = keep, .created_at = now()};
      policy = TRY(db::policies::create(tx, policy));
      const DueTimes times = TRY(DueTimes::of(schedule, policy.policy_id, policy.created_at));
      policy.next_due_at = times.next_after(now()).value_or(0);
      TRY(db::policies::update(tx, policy));
      return policy;
    });
    policies_.push_back(made);
  }

  // The one that is due first, if that is by then.
  std::vector<int64_t> due_until(int64_t at) {
    return in_tx([&](db::Transaction& tx) { return db::policies::due(tx, at, 1); });
  }
  std::vector<PolicyRun> runs(int64_t policy_id) {
    auto all = in_tx(
        [&](db::Transaction& tx) { return db::policy_runs::list(tx, policy_id, {.size = 2000}); });
    std::ranges::reverse(all);
    return all;
  }

  // The end of a backup that was ordered is decided when it is first seen.
  void see_backups() {
    for (const Backup& backup :
         in_tx([](db::Transaction& tx) { return db::backups::list(tx, {}, {.size = 3 * kSgcs}); }))
      if (is_active(backup.status) && !ends_.contains(backup.backup_id))
        ends_[backup.backup_id] = {now() + pick(1, 30) * pick(1, 60) * 10, backup};
  }

  void report_ended() {
    for (auto it = ends_.begin(); it != ends_.end();) {
      const auto& [at, backup] = it->second;
      if (at > now()) {
        ++it;
        continue;
      }
      BackupReport report{.backup_id = backup.backup_id, .attempt = backup.attempt};
      const int64_t kind = pick(0, 9);
      report.status = kind < 8 ? "completed" : "failed";
      report.size_bytes = pick(1, 60);
      report.skipped = kind == 9;
      report.error_message = "why";
      for (int64_t times = pick(1, 2); times > 0; times--) good(apply(context(), report));
      if (kind < 8) take_into_ledger(backup, report.size_bytes);
      it = ends_.erase(it);
    }
  }

  // What a completed backup is, as far as keeping it goes.
  struct Stored {
    int64_t sgc_id = 0;
    int64_t policy_id = 0;
    RetentionCandidate candidate;
  };

  void take_into_ledger(const Backup& backup, int64_t size_bytes) {
    ledger_[backup.backup_id] = {
        backup.sgc_id,
        backup.policy_id,
        {.backup_id = backup.backup_id, .created_at = backup.created_at, .size_bytes = size_bytes}};
    to_compare_.insert(backup.sgc_id);
  }

  // Damage is found in one of the stored ones, or one is pinned or let go of again.
  void change_one_stored() {
    if (ledger_.empty()) return;
    Stored& stored = std::next(ledger_.begin(), pick(0, std::ssize(ledger_) - 1))->second;
    const int64_t id = stored.candidate.backup_id;
    if (pick(0, 2) == 0) {
      const Backup row = in_tx([&](db::Transaction& tx) { return db::backups::get(tx, id); });
      good(note_verified(context(), row, VerifiedHow::kFull, now(),
                         fail(Code::kDataLoss, "its last byte is another")));
      stored.candidate.not_good = "damaged";
    } else {
      stored.candidate.pinned = !stored.candidate.pinned;
      in_tx([&](db::Transaction& tx) -> Result<void> {
        Backup row = TRY(db::backups::hold(tx, id));
        row.pinned = stored.candidate.pinned;
        TRY(db::backups::update(tx, row));
        return db::retention_queue::add(tx, row.sgc_id, now());
      });
    }
    to_compare_.insert(stored.sgc_id);
  }

  int64_t last_good_of(int64_t sgc_id) const {
    int64_t last = 0;
    for (const auto& [id, stored] : ledger_)
      if (stored.sgc_id == sgc_id && stored.candidate.not_good.empty()) last = id;
    return last;
  }

  // The ledger lets go of what the model does not keep.
  void let_go(const BackupPolicy& policy) {
    std::vector<RetentionCandidate> candidates;
    for (const auto& [id, stored] : ledger_)
      if (stored.policy_id == policy.policy_id) candidates.push_back(stored.candidate);
    const TimeZone zone = good(TimeZone::find(policy.schedule.zone));
    const auto kept =
        retention_model(policy.keep, candidates, {last_good_of(policy.sgc_id)},
                        [&](int64_t unix_s) { return zone.span_at(unix_s).offset_s; });
    for (const RetentionCandidate& candidate : candidates)
      if (!kept.contains(candidate.backup_id)) {
        ledger_.erase(candidate.backup_id);
        let_go_++;
      }
  }

  void expect_retention_leaves_what_the_model_leaves() {
    for (const int64_t sgc_id : to_compare_) {
      for (const BackupPolicy& policy : policies_)
        if (policy.sgc_id == sgc_id) let_go(policy);
      std::set<int64_t> left;
      for (const Backup& row : in_tx([&](db::Transaction& tx) {
             return db::backups::list(tx, {.sgc_id = sgc_id}, {.size = 100'000});
           }))
        if (row.status == BackupStatus::kCompleted) left.insert(row.backup_id);
      std::set<int64_t> wanted;
      for (const auto& [id, stored] : ledger_)
        if (stored.sgc_id == sgc_id) wanted.insert(id);
      ASSERT_EQ(left, wanted) << "SGC " << sgc_id;
      const int64_t last_good = last_good_of(sgc_id);
      ASSERT_TRUE(last_good == 0 || left.contains(last_good));
      comparisons_++;
    }
    to_compare_.clear();
  }

  void change_sessions() {
    const int64_t sgc = sgcs_[pick(1, kSgcs - 1)];
    if (const auto session = playing_.find(sgc); session != playing_.end()) {
      const char* const ends[] = {"stopped", "crashed", "completed"};
      const SessionReport report{.session_id = session->second, .status = ends[pick(0, 2)]};
      for (int64_t times = pick(1, 3); times > 0; times--) good(apply(context(), report));
      ended_[sgc].insert(session->second);
      playing_.erase(session);
    } else {
      playing_[sgc] = in_tx([&](db::Transaction& tx) {
                        return db::sessions::create(tx, {.sgc_id = sgc,
                                                         .created_at = now(),
                                                         .started_at = now(),
                                                         .status = SessionStatus::kRunning});
                      }).session_id;
    }
  }

  void make_one_by_hand() {
    // Refused when one is at work.
    (void)database_->transact([&](db::Transaction& tx) {
      return begin_backup(context(), tx, {.sgc_id = sgcs_[pick(0, kSgcs - 1)]});
    });
  }

  // Hosts that are there are heard; at least as often as the service wants to hear them.
  void hear_hosts() {
    in_tx([&](db::Transaction& tx) -> Result<void> {
      TRY(db::servers::mark_offline(tx, now() - 20));
      for (const int64_t server : servers_)
        if (!away_until_.contains(server)) TRY(db::servers::seen(tx, server, now()));
      return {};
    });
  }

  void run_scheduler() {
    if (pick(0, 30) == 0) {
      good(failpoint::configure("api.scheduler.committed@2=error:gone"));
      scheduler_->run_once();
      good(failpoint::configure(""));
    }
    scheduler_->run_once();
    see_backups();
  }

  void expect_no_reason_to_wait_is_missing() {
    const auto waiting = in_tx(
        [&](db::Transaction& tx) { return db::policy_runs::waiting(tx, now() + 1000, 1000); });
    for (const PolicyRun& run : waiting) {
      const auto policy = std::ranges::find(policies_, run.policy_id, &BackupPolicy::policy_id);
      const auto sgc = std::ranges::find(sgcs_, policy->sgc_id) - sgcs_.begin();
      const bool away = away_until_.contains(servers_[sgc % kServers]);
      const bool busy = in_tx([&](db::Transaction& tx) {
                          return db::backups::active(tx, policy->sgc_id);
                        }).has_value();
      ASSERT_TRUE(away || busy) << "run " << run.run_id << " waits: " << run.reason;
    }
    ASSERT_TRUE(due_until(now()).empty());
  }

  int64_t next_event() {
    int64_t next = now() + pick(3, 8) * 3600;
    for (const int64_t policy : due_until(next))
      next = in_tx([&](db::Transaction& tx) { return db::policies::get(tx, policy); }).next_due_at;
    for (const auto& [id, end] : ends_) next = std::min(next, end.first);
    for (const auto& [server, until] : away_until_) next = std::min(next, until);
    return std::max(next, now() + 1);
  }

  void step() {
    clock_.set(next_event());
    if (pick(0, 150) == 0) {  // the service is away, and with it all that it would hear
      scheduler_.reset();
      clock_.advance(std::chrono::minutes(pick(1, 10) * pick(1, 1000)));
      scheduler_ = std::make_unique<Scheduler>(context());
    }
    std::erase_if(away_until_, [&](const auto& away) { return away.second <= now(); });
    if (pick(0, 60) == 0)
      away_until_[servers_[pick(0, kServers - 1)]] = now() + 60 * pick(1, 10) * pick(1, 300);
    clock_.advance(std::chrono::seconds(30));
    hear_hosts();
    report_ended();
    if (pick(0, 20) == 0) change_sessions();
    if (pick(0, 60) == 0) make_one_by_hand();
    run_scheduler();
    if (pick(0, 30) == 0) change_one_stored();
    retention_->run_once();
    expect_retention_leaves_what_the_model_leaves();
    expect_no_reason_to_wait_is_missing();
  }

  // Each time once: by the run of its own, or in a row of missed ones.
  void expect_each_time_met_once(const BackupPolicy& policy) {
    std::map<int64_t, int> times;
    const DueTimes due = good(DueTimes::of(policy.schedule, policy.policy_id, policy.created_at));
    for (auto at = due.next_after(policy.created_at); at && *at <= now(); at = due.next_after(*at))
      times[*at] = 0;
    std::set<int64_t> sessions;
    for (const PolicyRun& run : runs(policy.policy_id)) {
      if (run.trigger == RunTrigger::kSessionEnd) {
        EXPECT_TRUE(sessions.insert(run.session_id).second);
        continue;
      }
      auto at = times.find(run.due_at);
      const int64_t count = run.outcome == RunOutcome::kMissed ? run.missed_count : 1;
      for (int64_t i = 0; i < count; i++, ++at) {
        ASSERT_NE(at, times.end()) << "policy " << policy.policy_id << ", run " << run.run_id;
        at->second++;
      }
      outcomes_[run.outcome]++;
    }
    for (const auto& [at, met] : times)
      EXPECT_EQ(met, 1) << "policy " << policy.policy_id << " at " << at;
    if (policy.schedule.at_session_end) {
      EXPECT_EQ(sessions, ended_[policy.sgc_id]);
    }
  }

  const unsigned seed_ = std::random_device()();
  std::mt19937 random_{seed_};
  std::filesystem::path dir_;
  std::unique_ptr<db::TestDatabase> place_;
  std::unique_ptr<db::Database> database_;
  std::unique_ptr<Store> store_;
  ApiConfig config_;
  HeldClock clock_;
  InProcessBus bus_;
  Counters counters_;
  std::optional<Context> made_context_;
  std::unique_ptr<Scheduler> scheduler_;
  std::unique_ptr<Deleter> deleter_;
  std::unique_ptr<RetentionJob> retention_;
  std::map<int64_t, Stored> ledger_;
  std::set<int64_t> to_compare_;  // SGCs
  int64_t let_go_ = 0;
  int64_t comparisons_ = 0;
  std::vector<int64_t> servers_, sgcs_;
  std::vector<BackupPolicy> policies_;
  std::map<int64_t, std::pair<int64_t, Backup>> ends_;
  std::map<int64_t, int64_t> playing_, away_until_;
  std::map<int64_t, std::set<int64_t>> ended_;
  std::map<RunOutcome, int> outcomes_;
};

TEST_F(SchedulerYear, EachDueTimeIsMetOnce) {
  SCOPED_TRACE("seed " + std::to_string(seed_));
  deploy();
  while (now() < kBegin + kYear && !HasFatalFailure()) step();
  for (const BackupPolicy& policy : policies_) expect_each_time_met_once(policy);
  EXPECT_GT(outcomes_[RunOutcome::kStarted], 1000);
  EXPECT_GT(outcomes_[RunOutcome::kSkipped], 50);
  EXPECT_GT(outcomes_[RunOutcome::kMissed], 10);
  EXPECT_EQ(outcomes_[RunOutcome::kFailed], 0);
  EXPECT_GT(comparisons_, 1000);
  EXPECT_GT(let_go_, 500);
}

}  // namespace
}  // namespace manman::api
