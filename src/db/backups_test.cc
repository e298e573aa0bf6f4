#include <gmock/gmock.h>

#include "db/test_database.h"

namespace manman::db {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class BackupsTest : public EveryDatabase {
 protected:
  int64_t make(const Backup& backup) {
    return in_tx([&](Transaction& tx) { return backups::create(tx, backup, "bucket"); }).backup_id;
  }
  Backup get(int64_t id) {
    return in_tx([&](Transaction& tx) { return backups::get(tx, id); });
  }
  void set_status(int64_t id, BackupStatus status) {
    in_tx([&](Transaction& tx) -> Result<void> {
      Backup backup = TRY(backups::get(tx, id));
      backup.status = status;
      return backups::update(tx, backup);
    });
  }
  static std::vector<int64_t> ids_of(const std::vector<Backup>& rows) {
    std::vector<int64_t> ids;
    for (const Backup& row : rows) ids.push_back(row.backup_id);
    return ids;
  }
  std::vector<int64_t> list(const backups::Filter& filter, const Page& page = {}) {
    return ids_of(in_tx([&](Transaction& tx) { return backups::list(tx, filter, page); }));
  }
};
INSTANTIATE_TEST_SUITE_P(All, BackupsTest, testing::ValuesIn(database_kinds()), kind_name);

TEST_P(BackupsTest, UrlIsMadeFromTheIdThatTheDatabaseGave) {
  const int64_t sgc = make_sgc();
  const Backup made = in_tx([&](Transaction& tx) {
    return backups::create(tx, {.backup_id = 999, .sgc_id = sgc, .s3_url = "s3://other/key"},
                           "worlds");
  });
  EXPECT_NE(made.backup_id, 999);
  EXPECT_EQ(made.s3_url, "s3://worlds/backups/" + std::to_string(sgc) + "/" +
                             std::to_string(made.backup_id) + ".tar.gz");
  EXPECT_EQ(get(made.backup_id).s3_url, made.s3_url);
}

TEST_P(BackupsTest, ReadsBackEveryFieldAndUpdates) {
  const int64_t sgc = make_sgc();
  const int64_t session = make_session(sgc);
  Backup backup;
  backup.session_id = session;
  backup.sgc_id = sgc;
  backup.description = "before the 1.21 update – \"risky\"";
  backup.created_at = 1769860800;
  backup.lease_until_ms = 1769860860123;
  const int64_t id = make(backup);
  Backup got = get(id);
  EXPECT_EQ(got.backup_id, id);
  EXPECT_EQ(got.session_id, session);
  EXPECT_EQ(got.sgc_id, sgc);
  EXPECT_EQ(got.size_bytes, 0);
  EXPECT_EQ(got.description, backup.description);
  EXPECT_EQ(got.created_at, 1769860800);
  EXPECT_EQ(got.status, BackupStatus::kPending);
  EXPECT_EQ(got.attempt, 1);
  EXPECT_EQ(got.lease_until_ms, 1769860860123);
  EXPECT_THAT(got.warnings, IsEmpty());

  got.s3_url = "s3://old/other/key.tar.gz";
  got.size_bytes = int64_t{5} << 40;
  got.status = BackupStatus::kCompleted;
  got.error_message = "none";
  got.attempt = 3;
  got.lease_until_ms = 1;
  got.sha256 = "abc";
  got.progress_bytes = 2;
  got.total_bytes = 3;
  got.started_at = 4;
  got.finished_at = 5;
  got.entries = int64_t{1} << 33;
  got.warnings = {"game/ö changed while it was read", ""};
  got.compression = {ArchiveFormat::kZstd, 19};
  in_tx([&](Transaction& tx) { return backups::update(tx, got); });
  const Backup after = get(id);
  EXPECT_EQ(after.s3_url, "s3://old/other/key.tar.gz");
  EXPECT_EQ(after.size_bytes, int64_t{5} << 40);
  EXPECT_EQ(after.status, BackupStatus::kCompleted);
  EXPECT_EQ(after.error_message, "none");
  EXPECT_EQ(after.attempt, 3);
  EXPECT_EQ(after.lease_until_ms, 1);
  EXPECT_EQ(after.sha256, "abc");
  EXPECT_EQ(after.progress_bytes, 2);
  EXPECT_EQ(after.total_bytes, 3);
  EXPECT_EQ(after.started_at, 4);
  EXPECT_EQ(after.finished_at, 5);
  EXPECT_EQ(after.entries, int64_t{1} << 33);
  EXPECT_EQ(after.warnings, got.warnings);
  EXPECT_EQ(after.compression, got.compression);
  EXPECT_EQ(after.session_id, session);
}

TEST_P(BackupsTest, NeedsItsSgcAndItsSession) {
  const auto create = [](const Backup& backup) {
    return [backup](Transaction& tx) { return backups::create(tx, backup, "b"); };
  };
  const Error no_sgc = error_of(create({.sgc_id = 9}));
  EXPECT_EQ(no_sgc.code, Code::kNotFound);
  EXPECT_EQ(no_sgc.message, "no server game config 9");
  const int64_t sgc = make_sgc();
  const Error no_session = error_of(create({.session_id = 9, .sgc_id = sgc}));
  EXPECT_EQ(no_session.code, Code::kNotFound);
  EXPECT_EQ(no_session.message, "no session 9");
  const auto expect_missing = [&](auto work) {
    const Error error = error_of(work);
    EXPECT_EQ(error.code, Code::kNotFound);
    EXPECT_EQ(error.message, "no backup 9");
  };
  expect_missing([](Transaction& tx) { return backups::get(tx, 9); });
  expect_missing([](Transaction& tx) { return backups::remove(tx, 9); });
  expect_missing(
      [&](Transaction& tx) { return backups::update(tx, {.backup_id = 9, .sgc_id = sgc}); });
  const Error bad_time = error_of(create({.sgc_id = sgc, .created_at = -1}));
  EXPECT_EQ(bad_time.code, Code::kInvalidArgument);
  EXPECT_THAT(bad_time.message, HasSubstr("backups.created_at"));
  const Error bad_text = error_of(create({.sgc_id = sgc, .warnings = {"ok", "\xff"}}));
  EXPECT_EQ(bad_text.code, Code::kInvalidArgument);
  EXPECT_THAT(bad_text.message, HasSubstr("backups.warnings[1]"));
}

TEST_P(BackupsTest, AnSgcHasOneActiveBackup) {
  const int64_t sgc = make_sgc();
  const int64_t elsewhere = make_sgc();
  const auto active = [&](int64_t of) {
    return in_tx([&](Transaction& tx) { return backups::active(tx, of); });
  };
  EXPECT_FALSE(active(sgc));
  const int64_t first = make({.sgc_id = sgc});
  make({.sgc_id = elsewhere});
  ASSERT_TRUE(active(sgc));
  EXPECT_EQ(active(sgc)->backup_id, first);
  for (const BackupStatus status : {BackupStatus::kPending, BackupStatus::kRunning}) {
    set_status(first, status);
    const Error error =
        error_of([&](Transaction& tx) { return backups::create(tx, {.sgc_id = sgc}, "b"); });
    EXPECT_EQ(error.code, Code::kFailedPrecondition);
    EXPECT_THAT(error.message, HasSubstr("backup " + std::to_string(first)));
  }
  for (const BackupStatus status : {BackupStatus::kCompleted, BackupStatus::kFailed,
                                    BackupStatus::kLost, BackupStatus::kDeleting}) {
    const int64_t active_one = active(sgc)->backup_id;
    set_status(active_one, status);
    EXPECT_FALSE(active(sgc));
    make({.sgc_id = sgc});
  }
  // An ended one can't become active beside another either.
  const Error again = error_of([&](Transaction& tx) -> Result<void> {
    Backup backup = TRY(backups::get(tx, first));
    backup.status = BackupStatus::kRunning;
    return backups::update(tx, backup);
  });
  EXPECT_EQ(again.code, Code::kFailedPrecondition);
}

TEST_P(BackupsTest, ListsNewestFirstBySgcAndSession) {
  const int64_t one = make_sgc();
  const int64_t two = make_sgc();
  const int64_t session = make_session(one);
  const auto done = BackupStatus::kCompleted;
  const int64_t a = make({.session_id = session, .sgc_id = one, .status = done});
  const int64_t b = make({.sgc_id = one, .status = done});
  const int64_t c = make({.sgc_id = two, .status = done});
  const int64_t d = make({.session_id = session, .sgc_id = one, .status = done});
  EXPECT_THAT(list({}), ElementsAre(d, c, b, a));
  EXPECT_THAT(list({.sgc_id = one}), ElementsAre(d, b, a));
  EXPECT_THAT(list({.session_id = session}), ElementsAre(d, a));
  EXPECT_THAT(list({.sgc_id = two, .session_id = session}), IsEmpty());
  EXPECT_THAT(list({.sgc_id = one}, {.size = 1, .before_id = d}), ElementsAre(b));
}

TEST_P(BackupsTest, ExpiredAndDeletingAreFound) {
  const auto with = [&](BackupStatus status, int64_t until) {
    return make({.sgc_id = make_sgc(), .status = status, .lease_until_ms = until});
  };
  const int64_t late = with(BackupStatus::kRunning, 900);
  const int64_t later = with(BackupStatus::kPending, 500);
  with(BackupStatus::kRunning, 1001);
  with(BackupStatus::kLost, 10);
  const int64_t going = with(BackupStatus::kDeleting, 10);
  const int64_t going_too = with(BackupStatus::kDeleting, 5);
  const auto expired = [&](int limit) {
    return ids_of(in_tx([&](Transaction& tx) { return backups::expired(tx, 1000, limit); }));
  };
  EXPECT_THAT(expired(10), ElementsAre(later, late));
  EXPECT_THAT(expired(1), ElementsAre(later));
  const auto deleting = [&](int limit) {
    return ids_of(in_tx([&](Transaction& tx) { return backups::deleting(tx, limit); }));
  };
  EXPECT_THAT(deleting(10), ElementsAre(going, going_too));
  EXPECT_THAT(deleting(1), ElementsAre(going));
}

TEST_P(BackupsTest, RemovedOneIsForgottenAndItsIdIsNotGivenAgain) {
  const int64_t sgc = make_sgc();
  const int64_t backup = make_backup(sgc);
  const int64_t session =
      in_tx([&](Transaction& tx) {
        return sessions::create(tx, {.sgc_id = sgc, .restored_from_backup_id = backup});
      }).session_id;
  in_tx([&](Transaction& tx) { return backups::remove(tx, backup); });
  EXPECT_EQ(
      in_tx([&](Transaction& tx) { return sessions::get(tx, session); }).restored_from_backup_id,
      0);
  EXPECT_GT(make_backup(sgc), backup);
}

}  // namespace
}  // namespace manman::db
