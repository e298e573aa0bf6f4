#include <gmock/gmock.h>

#include "db/test_database.h"

namespace manman::db {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class SessionsTest : public EveryDatabase {
 protected:
  int64_t make(Session session) {
    return in_tx([&](Transaction& tx) { return sessions::create(tx, session); }).session_id;
  }
  Session get(int64_t id) {
    return in_tx([&](Transaction& tx) { return sessions::get(tx, id); });
  }
  static std::vector<int64_t> ids_of(const std::vector<Session>& rows) {
    std::vector<int64_t> ids;
    for (const Session& row : rows) ids.push_back(row.session_id);
    return ids;
  }
  std::vector<int64_t> list(const sessions::Filter& filter, const Page& page = {}) {
    return ids_of(in_tx([&](Transaction& tx) { return sessions::list(tx, filter, page); }));
  }
};
INSTANTIATE_TEST_SUITE_P(All, SessionsTest, testing::ValuesIn(database_kinds()), kind_name);

TEST_P(SessionsTest, ReadsBackEveryFieldAndUpdates) {
  const int64_t sgc = make_sgc();
  const int64_t backup = make_backup(sgc);
  Session session;
  session.sgc_id = sgc;
  session.created_at = 1769860800;
  session.status = SessionStatus::kPending;
  session.restored_from_backup_id = backup;
  session.restored_paths = {"game/world", "game/it's"};
  session.lease_until_ms = 1769860860123;
  const int64_t id = make(session);
  Session got = get(id);
  EXPECT_EQ(got.session_id, id);
  EXPECT_EQ(got.sgc_id, sgc);
  EXPECT_EQ(got.created_at, 1769860800);
  EXPECT_EQ(got.started_at, 0);
  EXPECT_EQ(got.status, SessionStatus::kPending);
  EXPECT_EQ(got.restored_from_backup_id, backup);
  EXPECT_EQ(got.restored_paths, session.restored_paths);
  EXPECT_EQ(got.lease_until_ms, 1769860860123);
  EXPECT_EQ(got.replaced_data, ReplacedData::kNone);

  got.started_at = 1769860801;
  got.ended_at = 1769860802;
  got.exit_code = -9;
  got.status = SessionStatus::kLost;
  got.error_message = "killed by signal 9";
  got.replaced_data = ReplacedData::kUndoing;
  got.progress_bytes = int64_t{1} << 40;
  got.total_bytes = int64_t{1} << 41;
  in_tx([&](Transaction& tx) { return sessions::update(tx, got); });
  const Session after = get(id);
  EXPECT_EQ(after.started_at, 1769860801);
  EXPECT_EQ(after.ended_at, 1769860802);
  EXPECT_EQ(after.exit_code, -9);
  EXPECT_EQ(after.status, SessionStatus::kLost);
  EXPECT_EQ(after.error_message, "killed by signal 9");
  EXPECT_EQ(after.replaced_data, ReplacedData::kUndoing);
  EXPECT_EQ(after.progress_bytes, int64_t{1} << 40);
  EXPECT_EQ(after.total_bytes, int64_t{1} << 41);
  EXPECT_EQ(after.created_at, 1769860800);
}

TEST_P(SessionsTest, NeedsItsSgcAndItsBackup) {
  const Error no_sgc =
      error_of([](Transaction& tx) { return sessions::create(tx, {.sgc_id = 9}); });
  EXPECT_EQ(no_sgc.code, Code::kNotFound);
  EXPECT_EQ(no_sgc.message, "no server game config 9");
  const int64_t sgc = make_sgc();
  const Error no_backup = error_of([&](Transaction& tx) {
    return sessions::create(tx, {.sgc_id = sgc, .restored_from_backup_id = 9});
  });
  EXPECT_EQ(no_backup.code, Code::kNotFound);
  EXPECT_EQ(no_backup.message, "no backup 9");
  const Error no_session = error_of(
      [&](Transaction& tx) { return sessions::update(tx, {.session_id = 9, .sgc_id = sgc}); });
  EXPECT_EQ(no_session.code, Code::kNotFound);
  EXPECT_EQ(no_session.message, "no session 9");
}

TEST_P(SessionsTest, FiltersByEverythingThatAListCanAsk) {
  const int64_t one = make_sgc();
  const int64_t two = make_sgc();
  using S = SessionStatus;
  const int64_t ended = make({.sgc_id = one, .started_at = 100, .status = S::kCompleted});
  const int64_t lost = make({.sgc_id = one, .started_at = 200, .status = S::kLost});
  const int64_t runs = make({.sgc_id = one, .started_at = 300, .status = S::kRunning});
  const int64_t waits = make({.sgc_id = two, .status = S::kPending});
  const int64_t stops = make({.sgc_id = two, .started_at = 500, .status = S::kStopping});

  EXPECT_THAT(list({}), ElementsAre(stops, waits, runs, lost, ended));
  EXPECT_THAT(list({.sgc_id = one}), ElementsAre(runs, lost, ended));
  EXPECT_THAT(list({.live_only = true}), ElementsAre(stops, waits, runs));
  EXPECT_THAT(list({.sgc_id = one, .live_only = true}), ElementsAre(runs));
  EXPECT_THAT(list({.statuses = {S::kLost, S::kPending}}), ElementsAre(waits, lost));
  EXPECT_THAT(list({.statuses = {S::kLost, S::kPending}, .live_only = true}), ElementsAre(waits));
  EXPECT_THAT(list({.statuses = {S::kRunning}}), ElementsAre(runs));
  EXPECT_THAT(list({.started_after = 200}), ElementsAre(stops, runs));
  EXPECT_THAT(list({.started_before = 200}), ElementsAre(ended));
  EXPECT_THAT(list({.started_after = 100, .started_before = 500}), ElementsAre(runs, lost));
  const auto server =
      in_tx([&](Transaction& tx) { return server_game_configs::get(tx, two); }).server_id;
  EXPECT_THAT(list({.server_id = server}), ElementsAre(stops, waits));
  EXPECT_THAT(list({.sgc_id = one, .server_id = server}), IsEmpty());
  EXPECT_THAT(list({.sgc_id = one}, {.size = 2}), ElementsAre(runs, lost));
  EXPECT_THAT(list({.sgc_id = one}, {.size = 2, .before_id = lost}), ElementsAre(ended));
  EXPECT_THAT(list({}, {.size = 0}), IsEmpty());
  EXPECT_THAT(list({}, {.size = -1}), IsEmpty());
}

TEST_P(SessionsTest, ExpiredAreThoseThatShouldHaveReported) {
  const int64_t sgc = make_sgc();
  using S = SessionStatus;
  const auto leased = [&](S status, int64_t until) {
    return make({.sgc_id = sgc, .status = status, .lease_until_ms = until});
  };
  const int64_t late = leased(S::kStarting, 900);
  const int64_t later = leased(S::kPending, 500);
  leased(S::kPending, 1001);
  leased(S::kRunning, 10);
  const int64_t latest = leased(S::kStopping, 10);
  leased(S::kLost, 10);
  const auto expired = [&](int64_t now, int limit) {
    return ids_of(in_tx([&](Transaction& tx) { return sessions::expired(tx, now, limit); }));
  };
  EXPECT_THAT(expired(1000, 10), ElementsAre(latest, later, late));
  EXPECT_THAT(expired(1000, 2), ElementsAre(latest, later));
  EXPECT_THAT(expired(500, 10), ElementsAre(latest, later));
  EXPECT_THAT(expired(499, 10), ElementsAre(latest));
  EXPECT_THAT(expired(9, 10), IsEmpty());
}

TEST_P(SessionsTest, RestoringFromABackupAreThoseThatStillReadIt) {
  const int64_t sgc = make_sgc();
  const int64_t backup = make_backup(sgc);
  const int64_t other = make_backup(sgc);
  using S = SessionStatus;
  const auto from = [&](S status, int64_t backup_id) {
    return make({.sgc_id = sgc, .status = status, .restored_from_backup_id = backup_id});
  };
  const int64_t waits = from(S::kPending, backup);
  const int64_t starts = from(S::kStarting, backup);
  from(S::kRunning, backup);
  from(S::kCrashed, backup);
  from(S::kPending, other);
  from(S::kPending, 0);
  EXPECT_THAT(ids_of(in_tx([&](Transaction& tx) { return sessions::restoring_from(tx, backup); })),
              UnorderedElementsAre(waits, starts));
}

TEST_P(SessionsTest, UndoingAreThoseOfTheSgc) {
  const int64_t sgc = make_sgc();
  const auto with = [&](int64_t of, ReplacedData replaced) {
    return make({.sgc_id = of, .status = SessionStatus::kStopped, .replaced_data = replaced});
  };
  with(sgc, ReplacedData::kKept);
  with(make_sgc(), ReplacedData::kUndoing);
  const auto undoing = [&] {
    return ids_of(in_tx([&](Transaction& tx) { return sessions::undoing(tx, sgc); }));
  };
  EXPECT_THAT(undoing(), IsEmpty());
  const int64_t one = with(sgc, ReplacedData::kUndoing);
  EXPECT_THAT(undoing(), ElementsAre(one));
}

}  // namespace
}  // namespace manman::db
