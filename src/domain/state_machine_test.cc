#include <gtest/gtest.h>

#include <map>
#include <set>

#include "domain/backup.h"
#include "domain/drill.h"
#include "domain/session.h"

// The expected tables are written out by hand from docs/architecture.md, one row per state and one
// column per event, so that a row added to the code's tables by mistake is seen here.
namespace manman {
namespace {

TEST(BackupTableTest, EveryStateAndEvent) {
  using S = BackupStatus;
  using E = BackupEvent;
  constexpr auto kNone = std::nullopt;
  const E events[] = {E::kHostRunning,  E::kHostCompleted, E::kHostFailed, E::kLeaseExpiredRetry,
                      E::kLeaseExpired, E::kDelete,        E::kCancel};
  using Row = std::array<std::optional<S>, 7>;
  const std::map<S, Row> expected = {
      {S::kPending,
       {S::kRunning, S::kCompleted, S::kFailed, S::kPending, S::kLost, kNone, S::kCancelled}},
      {S::kRunning,
       {S::kRunning, S::kCompleted, S::kFailed, S::kPending, S::kLost, kNone, S::kCancelled}},
      {S::kCompleted, {kNone, kNone, kNone, kNone, kNone, S::kDeleting, kNone}},
      {S::kFailed, {kNone, kNone, kNone, kNone, kNone, S::kDeleting, kNone}},
      {S::kCancelled, {kNone, kNone, kNone, kNone, kNone, S::kDeleting, S::kCancelled}},
      {S::kLost, {kNone, S::kCompleted, kNone, kNone, kNone, S::kDeleting, kNone}},
      {S::kDeleting, {kNone, kNone, kNone, kNone, kNone, S::kDeleting, kNone}},
  };
  ASSERT_EQ(expected.size(), 7U);
  for (const auto& [status, row] : expected) {
    for (size_t i = 0; i < row.size(); i++) {
      EXPECT_EQ(next(status, events[i]), row[i]) << to_text(status) << ", event " << i;
    }
  }
}

TEST(SessionTableTest, EveryStateAndEvent) {
  using S = SessionStatus;
  using E = SessionEvent;
  constexpr auto kNone = std::nullopt;
  const E events[] = {E::kHostStarting, E::kHostRunning,   E::kHostStopping, E::kHostStopped,
                      E::kHostCrashed,  E::kHostCompleted, E::kStop,         E::kLeaseExpired};
  using Row = std::array<std::optional<S>, 8>;
  const std::map<S, Row> expected = {
      {S::kPending,
       {S::kStarting, S::kRunning, kNone, S::kStopped, S::kCrashed, S::kCompleted, S::kStopping,
        S::kLost}},
      {S::kStarting,
       {S::kStarting, S::kRunning, kNone, S::kStopped, S::kCrashed, S::kCompleted, S::kStopping,
        S::kLost}},
      {S::kRunning,
       {kNone, S::kRunning, kNone, S::kStopped, S::kCrashed, S::kCompleted, S::kStopping, kNone}},
      {S::kStopping,
       {kNone, kNone, S::kStopping, S::kStopped, S::kCrashed, S::kCompleted, S::kStopping,
        S::kLost}},
      {S::kStopped, {kNone, kNone, kNone, kNone, kNone, kNone, kNone, kNone}},
      {S::kCrashed, {kNone, kNone, kNone, kNone, kNone, kNone, kNone, kNone}},
      {S::kCompleted, {kNone, kNone, kNone, kNone, kNone, kNone, kNone, kNone}},
      {S::kLost,
       {S::kStarting, S::kRunning, S::kStopping, S::kStopped, S::kCrashed, S::kCompleted, kNone,
        kNone}},
  };
  ASSERT_EQ(expected.size(), 8U);
  for (const auto& [status, row] : expected) {
    for (size_t i = 0; i < row.size(); i++) {
      EXPECT_EQ(next(status, events[i]), row[i]) << to_text(status) << ", event " << i;
    }
  }
}

TEST(DrillTableTest, EveryStateAndEvent) {
  using S = DrillStatus;
  using E = DrillEvent;
  constexpr auto kNone = std::nullopt;
  const E events[] = {E::kHostRunning, E::kHostPassed,   E::kHostFailed,
                      E::kHostGaveUp,  E::kLeaseExpired, E::kBackupGone};
  using Row = std::array<std::optional<S>, 6>;
  const Row active = {S::kRunning, S::kPassed, S::kFailed, S::kGivenUp, S::kGivenUp, S::kGivenUp};
  const Row ended = {kNone, kNone, kNone, kNone, kNone, kNone};
  const std::map<S, Row> expected = {
      {S::kPending, active},
      {S::kRunning, active},
      {S::kPassed, ended},
      {S::kFailed, ended},
      {S::kGivenUp, {kNone, S::kPassed, S::kFailed, kNone, kNone, kNone}},
  };
  for (const auto& [status, row] : expected) {
    for (size_t i = 0; i < row.size(); i++)
      EXPECT_EQ(next(status, events[i]), row[i]) << to_text(status) << ", event " << i;
    EXPECT_EQ(drill_status_from(to_text(status)), status);
  }
  EXPECT_FALSE(drill_status_from("given up"));
}

TEST(BackupStatusTest, TextsAreTheStoredOnesAndReadBack) {
  using S = BackupStatus;
  const std::map<S, std::pair<std::string_view, std::string_view>> expected = {
      {S::kPending, {"pending", "pending"}},       {S::kRunning, {"running", "running"}},
      {S::kCompleted, {"completed", "completed"}}, {S::kFailed, {"failed", "failed"}},
      {S::kCancelled, {"cancelled", "cancelled"}}, {S::kLost, {"lost", "failed"}},
      {S::kDeleting, {"deleting", "deleting"}},
  };
  for (const auto& [status, texts] : expected) {
    EXPECT_EQ(to_text(status), texts.first);
    EXPECT_EQ(wire_text(status), texts.second);
    EXPECT_EQ(backup_status_from(texts.first), status);
    EXPECT_EQ(is_active(status), status == S::kPending || status == S::kRunning);
  }
  EXPECT_FALSE(backup_status_from(""));
  EXPECT_FALSE(backup_status_from("Pending"));
}

TEST(SessionStatusTest, TextsAreTheStoredOnesAndReadBack) {
  using S = SessionStatus;
  const std::map<S, std::pair<std::string_view, std::string_view>> expected = {
      {S::kPending, {"pending", "pending"}},       {S::kStarting, {"starting", "starting"}},
      {S::kRunning, {"running", "running"}},       {S::kStopping, {"stopping", "stopping"}},
      {S::kStopped, {"stopped", "stopped"}},       {S::kCrashed, {"crashed", "crashed"}},
      {S::kCompleted, {"completed", "completed"}}, {S::kLost, {"lost", "crashed"}},
  };
  const std::set<S> live = {S::kPending, S::kStarting, S::kRunning, S::kStopping};
  for (const auto& [status, texts] : expected) {
    EXPECT_EQ(to_text(status), texts.first);
    EXPECT_EQ(wire_text(status), texts.second);
    EXPECT_EQ(session_status_from(texts.first), status);
    EXPECT_EQ(is_live(status), live.contains(status)) << to_text(status);
  }
  EXPECT_FALSE(session_status_from("exploded"));
}

TEST(ReplacedDataTest, TextsReadBack) {
  const std::map<ReplacedData, std::string_view> expected = {
      {ReplacedData::kNone, ""},           {ReplacedData::kKept, "kept"},
      {ReplacedData::kUndoing, "undoing"}, {ReplacedData::kUndone, "undone"},
      {ReplacedData::kRemoved, "removed"},
  };
  for (const auto& [state, text] : expected) {
    EXPECT_EQ(to_text(state), text);
    EXPECT_EQ(replaced_data_from(text), state);
  }
  EXPECT_FALSE(replaced_data_from("lost"));
}

}  // namespace
}  // namespace manman
