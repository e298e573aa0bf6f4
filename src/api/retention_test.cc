#include "api/retention.h"

#include "api/counters.h"
#include "api/jobs/deleter.h"
#include "api/test_service.h"

namespace manman::api {
namespace {

class RetentionTest : public ApiTest {
 protected:
  int64_t make_policy(const KeepRules& keep, const PolicyVerifyRules& verify = {}) {
    return good(database_->transact([&](db::Transaction& tx) {
             return db::policies::create(tx, {.sgc_id = sgc_id_,
                                              .name = "policy " + std::to_string(++policies_),
                                              .keep = keep,
                                              .verify = verify});
           }))
        .policy_id;
  }

  // A completed backup of the policy, as its host's report makes it.
  int64_t make_backup(int64_t policy_id, int64_t size = 5) {
    clock_.advance(std::chrono::hours(1));
    const v1::Backup backup = create_backup();
    of_policy(backup, policy_id);
    put_object(key_of(backup), "bytes");
    report(completed(backup, size));
    return backup.backup_id();
  }

  // The verifier can't read it now, and tries again in some minutes only.
  int64_t make_unverified(int64_t policy_id) {
    store_->away = true;
    const int64_t made = make_backup(policy_id);
    EXPECT_TRUE(eventually([&] {
      const auto row =
          good(database_->look([&](db::Transaction& tx) { return db::backups::get(tx, made); }));
      return row.verification.lease_until_ms > clock_.now_ms() + 5 * 60'000;
    }));
    store_->away = false;
    return made;
  }

  void of_policy(const v1::Backup& backup, int64_t policy_id) {
    good(database_->transact([&](db::Transaction& tx) -> Result<void> {
      Backup row = TRY(db::backups::get(tx, backup.backup_id()));
      row.policy_id = policy_id;
      return db::backups::update(tx, row);
    }));
  }

  void pin(int64_t backup_id, bool unpin = false) {
    v1::PinBackupRequest request;
    request.set_backup_id(backup_id);
    request.set_unpin(unpin);
    call(&v1::ManManAPI::Stub::PinBackup, request);
    expect_ok();
  }

  std::vector<int64_t> left() {
    return good(database_->look([&](db::Transaction& tx) -> Result<std::vector<int64_t>> {
      std::vector<int64_t> ids;
      for (const Backup& row : TRY(db::backups::list(tx, {.sgc_id = sgc_id_}, {.size = 100})))
        ids.insert(ids.begin(), row.backup_id);
      return ids;
    }));
  }

  // As a verifier has it that found it good.
  void look_at(int64_t backup_id, VerifiedHow how) {
    good(database_->transact([&](db::Transaction& tx) -> Result<void> {
      Backup row = TRY(db::backups::get(tx, backup_id));
      row.verification.found_good(how, clock_.now_s());
      TRY(db::retention_queue::add(tx, row.sgc_id, clock_.now_s()));
      return db::backups::update(tx, row);
    }));
  }

  // Nothing waits to be looked through.
  bool settled() {
    return good(database_->look([&](db::Transaction& tx) {
             return db::retention_queue::due(tx, clock_.now_s(), 10);
           }))
        .empty();
  }

  void expect_left(const std::vector<int64_t>& ids) {
    EXPECT_TRUE(eventually([&] { return settled() && left() == ids; }))
        << testing::PrintToString(left());
  }

  int policies_ = 0;
};

TEST_F(RetentionTest, WhatNoRuleKeepsGoesWithItsObject) {
  const int64_t policy = make_policy({.last = 2});
  const int64_t first = make_backup(policy);
  const v1::Backup backup = get_backup(first);
  const int64_t second = make_backup(policy);
  expect_left({first, second});
  const int64_t third = make_backup(policy);
  expect_left({second, third});
  EXPECT_FALSE(has_object(key_of(backup)));
  EXPECT_TRUE(has_object(key_of(get_backup(third))));
}

TEST_F(RetentionTest, OthersBackupsAreNotItsOwn) {
  const int64_t manual = make_backup(0);
  const int64_t policy = make_policy({.last = 1});
  const int64_t other = make_policy({});
  const int64_t others = make_backup(other);
  make_backup(policy);
  const int64_t newest = make_backup(policy);
  expect_left({manual, others, newest});
}

TEST_F(RetentionTest, TheLastGoodOneStays) {
  const int64_t policy = make_policy({.max_total_bytes = 10});
  const int64_t huge = make_backup(policy, 1000);
  expect_left({huge});
  const v1::Backup failed = create_backup();
  of_policy(failed, policy);
  report({.backup_id = failed.backup_id(), .status = "failed", .error_message = "disk full"});
  expect_left({huge, failed.backup_id()});
  const int64_t next = make_backup(policy, 3);
  expect_left({failed.backup_id(), next});
}

TEST_F(RetentionTest, OneThatIsNotVerifiedYetCountsForNothing) {
  const int64_t policy = make_policy({.last = 1}, {.after_upload = VerifiedHow::kFull});
  const int64_t first = make_unverified(policy);
  const int64_t second = make_unverified(policy);
  expect_left({first, second});
  EXPECT_EQ(get_backup(first).verification_due(), "full");
  look_at(second, VerifiedHow::kHead);
  expect_left({first, second});
  look_at(second, VerifiedHow::kFull);
  EXPECT_EQ(get_backup(second).verification_due(), "");
  expect_left({first, second});  // one that was never good is not decided on
  look_at(first, VerifiedHow::kFull);
  expect_left({second});
}

TEST_F(RetentionTest, APinnedOneStaysUntilItIsUnpinned) {
  const int64_t policy = make_policy({.last = 1});
  const int64_t first = make_backup(policy);
  pin(first);
  EXPECT_TRUE(get_backup(first).pinned());
  const int64_t second = make_backup(policy);
  expect_left({first, second});
  delete_backup(first);
  expect_error(FAILED_PRECONDITION, "is pinned");
  pin(first, true);
  expect_left({second});
}

TEST_F(RetentionTest, OneThatIsBeingRestoredGoesLater) {
  const int64_t policy = make_policy({.last = 1});
  const int64_t first = make_backup(policy);
  pin(first);
  const int64_t second = make_backup(policy);
  const v1::Session session = start_session(first);
  pin(first, true);
  EXPECT_TRUE(eventually([&] { return settled(); }));
  EXPECT_EQ(left(), (std::vector<int64_t>{first, second}));
  report_session(session.session_id(), "running");
  clock_.advance(std::chrono::minutes(2));
  expect_left({second});
}

TEST_F(RetentionTest, AStoreThatIsAwayOnlyDelaysIt) {
  const int64_t policy = make_policy({.last = 1});
  make_backup(policy);
  store_->away = true;
  const int64_t second = make_backup(policy);
  EXPECT_TRUE(eventually([&] { return settled(); }));
  EXPECT_EQ(left().size(), 2U);
  store_->away = false;
  expect_left({second});
}

TEST_F(RetentionTest, TheLastGoodOneIsLookedForOnceMoreUnderLock) {
  const int64_t policy = make_policy({});
  const int64_t only = make_backup(policy);
  Counters counters;
  const Context context{.config = config_,
                        .database = *database_,
                        .bus = bus_,
                        .store = *store_,
                        .clock = clock_,
                        .counters = counters};
  Deleter deleter(context);
  const auto refused = deleter.mark(only, Deleter::By::kRetention, "retention");
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("is the last good one"), std::string::npos);
  EXPECT_EQ(get_backup(only).status(), "completed");
}

}  // namespace
}  // namespace manman::api
