#include <limits>

#include "api/jobs/reaper.h"
#include "api/test_service.h"
#include "base/failpoint.h"

namespace manman::api {
namespace {

using Stub = v1::ManManAPI::Stub;

class Jobs : public ApiTest {
 protected:
  ~Jobs() override { good(failpoint::configure("")); }

  // The reaper leaves all in peace for one lease after its start.
  void pass_patience() { clock_.advance(config_.lease); }
  // A reaper that is told whether reports arrive; the service's own is gone.
  struct TestReaper {
    const Context context;
    std::atomic<bool> hears{true};
    std::atomic<int> asked{0};
    Reaper reaper{context, [this] {
                    asked++;
                    return hears.load();
                  }};

    // Until it has looked, whatever was to be seen, since this was called.
    bool look() {
      const int before = asked;  // once in each look, at its beginning
      return eventually([&] { return asked >= before + 3; });
    }
  };
  std::unique_ptr<TestReaper> make_reaper() {
    service_.reset();
    auto reaper = std::make_unique<TestReaper>(
        Context{config_, *database_, bus_, *store_, clock_, counters_});
    reaper->reaper.start();
    return reaper;
  }
  int attempt_of(int64_t backup_id) {
    return good(database_->transact([&](db::Transaction& tx) -> Result<int> {
      return TRY(db::backups::get(tx, backup_id))
      .attempt;
    }));
  }
  Counters counters_;

  size_t outbox_size() {
    return good(database_->transact([](db::Transaction& tx) -> Result<size_t> {
      size_t rows = 0;
      for (const auto& lane : TRY(db::outbox::lanes(tx, "", std::numeric_limits<int64_t>::max())))
        rows += TRY(db::outbox::oldest(tx, lane, 1000))
      .size();
      return rows;
    }));
  }
};

TEST_F(Jobs, ABackupOfASilentHostIsOrderedAgainAndThenLost) {
  pass_patience();
  ScriptedHost host(bus_, server_id_);
  const int64_t id = create_backup().backup_id();
  for (int attempt = 2; attempt <= 3; attempt++) {
    host.command(attempt - 2);  // else it is dropped once another attempt is ordered
    clock_.advance(config_.lease);
    ASSERT_TRUE(eventually([&] { return get_backup(id).attempt() == attempt; }));
    EXPECT_EQ(get_backup(id).status(), "pending");
    EXPECT_EQ(good(BackupCommand::parse(host.command(attempt - 1).body)).attempt, attempt);
  }
  clock_.advance(config_.lease);
  ASSERT_TRUE(eventually([&] { return get_backup(id).status() == "failed"; }));
  const v1::Backup lost = get_backup(id);
  EXPECT_EQ(lost.error_message(), "host lost: server 1 said nothing for 60 s in attempt 3 of 3");
  EXPECT_EQ(lost.finished_at(), clock_.now_s());
  // Attempts before the last one no longer count; the last one does, also now.
  BackupReport late = completed(lost);
  late.attempt = 2;
  report(late);
  EXPECT_EQ(get_backup(id).status(), "failed");
  late.attempt = 3;
  report(late);
  EXPECT_EQ(get_backup(id).status(), "completed");
  EXPECT_EQ(get_backup(id).error_message(), "");
}

TEST_F(Jobs, AHostHasALeaseOfTimeAfterItCouldNotBeHeard) {
  const int64_t id = create_backup().backup_id();
  const auto reaper = make_reaper();
  reaper->hears = false;
  clock_.advance(10 * config_.lease);
  ASSERT_TRUE(reaper->look());
  EXPECT_EQ(attempt_of(id), 1);
  reaper->hears = true;
  clock_.advance(config_.lease - std::chrono::milliseconds(1));
  ASSERT_TRUE(reaper->look());
  EXPECT_EQ(attempt_of(id), 1);
  clock_.advance(std::chrono::milliseconds(1));
  EXPECT_TRUE(eventually([&] { return attempt_of(id) == 2; }));
}

TEST_F(Jobs, AReportRenewsTheLease) {
  pass_patience();
  const int64_t id = create_backup().backup_id();
  const int64_t other = create_backup(deploy_another()).backup_id();
  clock_.advance(config_.lease / 2);
  report({.backup_id = id, .status = "running"});
  clock_.advance(config_.lease / 2);
  // The other one shows that the reaper has been there.
  ASSERT_TRUE(eventually([&] { return get_backup(other).attempt() == 2; }));
  EXPECT_EQ(get_backup(id).attempt(), 1);
  EXPECT_EQ(get_backup(id).status(), "running");
}

TEST_F(Jobs, AHostHasALeaseOfTimeAfterTheServiceWasAway) {
  const int64_t id = create_backup().backup_id();
  service_.reset();
  clock_.advance(10 * config_.lease);
  start();
  clock_.advance(config_.lease - std::chrono::milliseconds(1));
  report({.backup_id = id, .status = "running"});
  const int64_t other = create_backup(deploy_another()).backup_id();
  clock_.advance(config_.lease - std::chrono::milliseconds(1));
  EXPECT_EQ(get_backup(id).attempt(), 1);
  clock_.advance(std::chrono::milliseconds(1));
  ASSERT_TRUE(eventually([&] { return get_backup(other).attempt() == 2; }));
}

TEST_F(Jobs, ACommandOutlivesARestartOfTheService) {
  const int64_t id = create_backup().backup_id();  // its host is away
  service_.reset();
  EXPECT_EQ(outbox_size(), 1U);
  ScriptedHost host(bus_, server_id_);
  start();
  EXPECT_EQ(good(BackupCommand::parse(host.command(0).body)).backup_id, id);
  EXPECT_TRUE(eventually([&] { return outbox_size() == 0; }));
  EXPECT_EQ(host.commands().size(), 1U);
}

TEST_F(Jobs, ACommandIsRepeatedUntilItIsMarkedAsSent) {
  ScriptedHost host(bus_, server_id_);
  good(failpoint::configure("api.relay.published@1=error"));
  const int64_t id = create_backup().backup_id();
  EXPECT_EQ(good(BackupCommand::parse(host.command(0).body)).backup_id, id);
  EXPECT_EQ(good(BackupCommand::parse(host.command(1).body)).backup_id, id);
  EXPECT_TRUE(eventually([&] { return outbox_size() == 0; }));
  EXPECT_EQ(host.commands().size(), 2U);
}

TEST_F(Jobs, CommandsOfAHostStayInOrder) {
  std::vector<int64_t> ids;
  for (int i = 0; i < 20; i++) ids.push_back(create_backup(deploy_another()).backup_id());
  ScriptedHost host(bus_, server_id_);
  for (size_t i = 0; i < ids.size(); i++)
    EXPECT_EQ(good(BackupCommand::parse(host.command(i).body)).backup_id, ids[i]);
}

TEST_F(Jobs, HostsThatAreAwayDoNotHoldUpOthers) {
  const int64_t here = server_id_;
  // Ten queues that nobody reads: each publish waits for the bus's timeout.
  for (int i = 0; i < 10; i++) {
    server_id_ = good(service_->register_server("away " + std::to_string(i), "test"));
    {
      const ScriptedHost was_there(bus_, server_id_);
    }
    create_backup(deploy_another());
    expect_ok();
  }
  server_id_ = here;
  ScriptedHost host(bus_, server_id_);
  const int64_t id = create_backup().backup_id();
  EXPECT_EQ(good(BackupCommand::parse(host.command(0).body)).backup_id, id);
}

TEST_F(Jobs, OneHostsBacklogDoesNotHoldUpOthers) {
  const int64_t here = server_id_;
  server_id_ = good(service_->register_server("away", "test"));
  const int64_t sgc = deploy_another();
  good(database_->transact([&](db::Transaction& tx) -> Result<void> {
    const auto session = TRY(db::sessions::create(tx, {.sgc_id = sgc}));
    const SessionCommand stop{.session_id = session.session_id, .sgc_id = sgc};
    for (int i = 0; i < 2000; i++)
      TRY(db::outbox::add(tx, command_key(server_id_, "session.stop"), stop.to_json(), 1));
    return {};
  }));
  server_id_ = here;
  ScriptedHost host(bus_, server_id_);
  const int64_t id = create_backup().backup_id();
  EXPECT_EQ(good(BackupCommand::parse(host.command(0).body)).backup_id, id);
}

// As two processes would that share a database. Of a database that is not shared, one relay at a
// time is at work.
TEST_F(Jobs, TwoServicesShareTheOutboxAndNothingIsSentTwiceOrOutOfOrder) {
  if (!database_->shared()) GTEST_SKIP() << "needs MANMAN_TEST_PG_URL";
  const auto other_database = place_->open();
  ControlPlane other(config_, clock_);
  good(other.listen());
  good(other.start(*other_database, bus_, *store_));
  constexpr int kHosts = 6;
  constexpr int kCommands = 40;
  std::vector<int64_t> servers;
  std::vector<std::unique_ptr<ScriptedHost>> hosts;
  std::vector<std::vector<int64_t>> expected(kHosts);
  std::vector<int64_t> sgcs;
  for (int i = 0; i < kHosts; i++) {
    server_id_ = good(service_->register_server("shared " + std::to_string(i), "test"));
    servers.push_back(server_id_);
    hosts.push_back(std::make_unique<ScriptedHost>(bus_, server_id_));
    sgcs.push_back(deploy_another());
  }
  for (int n = 0; n < kCommands; n++) {
    for (size_t i = 0; i < servers.size(); i++) {
      expected[i].push_back(good(database_->transact([&](db::Transaction& tx) -> Result<int64_t> {
        const auto session = TRY(db::sessions::create(tx, {.sgc_id = sgcs[i]}));
        const SessionCommand stop{.session_id = session.session_id, .sgc_id = sgcs[i]};
        TRY(db::outbox::add(tx, command_key(servers[i], "session.stop"), stop.to_json(), 1));
        return session.session_id;
      })));
    }
  }
  for (size_t i = 0; i < servers.size(); i++) {
    hosts[i]->command(kCommands - 1);
    std::vector<int64_t> got;
    for (const Message& message : hosts[i]->commands())
      got.push_back(good(SessionCommand::parse(message.body)).session_id);
    EXPECT_EQ(got, expected[i]);
  }
  EXPECT_TRUE(eventually([&] { return outbox_size() == 0; }));
  other.stop();
}

TEST_F(Jobs, TheLaneOfARelayThatDiedIsTakenOver) {
  if (!database_->shared()) GTEST_SKIP() << "needs MANMAN_TEST_PG_URL";
  ScriptedHost host(bus_, server_id_);
  const int64_t now_ms = clock_.now_ms();
  const std::vector lane{db::outbox::lane_of(command_key(server_id_, "backup"))};
  EXPECT_EQ(good(database_->transact([&](db::Transaction& tx) {
              return db::outbox::claim(tx, lane, "the dead", now_ms, now_ms + 1000);
            })),
            lane);
  const int64_t id = create_backup().backup_id();
  EXPECT_EQ(outbox_size(), 1U);
  clock_.advance(std::chrono::seconds(1));
  EXPECT_EQ(good(BackupCommand::parse(host.command(0).body)).backup_id, id);
}

TEST_F(Jobs, ACommandThatNothingWaitsForIsDropped) {
  pass_patience();
  config_.max_attempts = 1;
  service_.reset();
  start();
  pass_patience();
  const int64_t id = create_backup().backup_id();
  clock_.advance(config_.lease);
  ASSERT_TRUE(eventually([&] { return get_backup(id).status() == "failed"; }));
  EXPECT_TRUE(eventually([&] { return outbox_size() == 0; }));
  ScriptedHost host(bus_, server_id_);
  const int64_t fresh = create_backup().backup_id();
  EXPECT_EQ(good(BackupCommand::parse(host.command(0).body)).backup_id, fresh);
}

TEST_F(Jobs, AnErrorAfterTheCommitStillLeavesTheBackupOrdered) {
  ScriptedHost host(bus_, server_id_);
  good(failpoint::configure("api.create_backup.committed=error:gone"));
  create_backup();
  expect_error(INTERNAL, "gone");
  EXPECT_EQ(good(BackupCommand::parse(host.command(0).body)).backup_id, 1);
  EXPECT_EQ(get_backup(1).status(), "pending");
}

TEST_F(Jobs, ADeletionThatStopsBetweenObjectAndRowIsFinished) {
  const v1::Backup backup = completed_backup();
  good(failpoint::configure("api.delete.object_removed=error"));
  delete_backup(backup.backup_id());
  expect_error(UNAVAILABLE, "goes on by itself");
  EXPECT_FALSE(has_object(key_of(backup)));
  EXPECT_EQ(get_backup(backup.backup_id()).status(), "deleting");
  good(failpoint::configure(""));
  EXPECT_TRUE(eventually([&] {
    get_backup(backup.backup_id());
    return status_.error_code() == NOT_FOUND;
  }));
}

}  // namespace
}  // namespace manman::api
