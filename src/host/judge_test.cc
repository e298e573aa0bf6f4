#include "host/judge.h"

#include <gtest/gtest.h>

namespace manman::host {
namespace {

using std::chrono::milliseconds;

Reading of_held_game() {
  return {.game_ran = true, .held = true, .pause = milliseconds(120)};
}

Consistency grade(const Reading& reading) {
  return judge(reading).consistency;
}

TEST(JudgeTest, AStoppedGameIsConsistentUnlessSomebodyWrites) {
  EXPECT_EQ(grade({}), Consistency::kConsistent);
  EXPECT_EQ(grade({.changed = {"game/a"}, .changed_count = 1}), Consistency::kBestEffort);
}

TEST(JudgeTest, AGameThatConfirmedIsConsistentUnlessItWrites) {
  Reading reading = of_held_game();
  EXPECT_EQ(grade(reading), Consistency::kConsistent);
  reading.snapshot = "reflink snapshot";
  EXPECT_EQ(grade(reading), Consistency::kConsistent);
  reading.changed_count = 1;
  EXPECT_EQ(grade(reading), Consistency::kBestEffort) << "it said so, but it is not so";
  reading.atomic = true;
  EXPECT_EQ(grade(reading), Consistency::kConsistent) << "one moment, after the save";
}

TEST(JudgeTest, OneThatDidNotConfirmIsNoBetterThanOneNotAsked) {
  Reading reading = of_held_game();
  reading.unconfirmed = "no line of output matched";
  EXPECT_EQ(grade(reading), Consistency::kCrashConsistent) << "but one moment it is";
  reading.changed_count = 3;
  EXPECT_EQ(grade(reading), Consistency::kBestEffort);
  reading.atomic = true;
  EXPECT_EQ(grade(reading), Consistency::kCrashConsistent);
}

TEST(JudgeTest, AGameThatRanOn) {
  Reading reading{.game_ran = true};
  EXPECT_EQ(grade(reading), Consistency::kCrashConsistent) << "it wrote nothing meanwhile";
  reading.changed_count = 2;
  EXPECT_EQ(grade(reading), Consistency::kBestEffort);
  reading.atomic = true;
  EXPECT_EQ(grade(reading), Consistency::kCrashConsistent);
}

TEST(JudgeTest, APauseThatWasOverCountsOnlyIfSomethingWasWritten) {
  Reading reading = of_held_game();
  reading.overran = true;
  EXPECT_EQ(grade(reading), Consistency::kConsistent);
  reading.changed_count = 1;
  EXPECT_EQ(grade(reading), Consistency::kBestEffort);
}

TEST(JudgeTest, AGameThatCanOnlyBeToldToSave) {
  Reading reading = of_held_game();
  reading.saved_only = true;
  EXPECT_EQ(grade(reading), Consistency::kConsistent) << "it wrote nothing after its save";
  reading.changed_count = 1;
  EXPECT_EQ(grade(reading), Consistency::kBestEffort);
  reading.atomic = true;
  EXPECT_EQ(grade(reading), Consistency::kCrashConsistent);
}

TEST(JudgeTest, AListOfFilesHoldsAsLongAsTheGameDoes) {
  Reading reading = of_held_game();
  reading.listed = true;
  EXPECT_EQ(grade(reading), Consistency::kConsistent);
  reading.changed_count = 1;
  EXPECT_EQ(grade(reading), Consistency::kBestEffort) << "beside its world";
  reading.overran = true;
  EXPECT_EQ(grade(reading), Consistency::kBestEffort);
  reading.changed_count = 0;
  EXPECT_EQ(grade(reading), Consistency::kBestEffort) << "listed files are not looked at again";
}

TEST(JudgeTest, OneDatabaseThatWasWrittenToSaysWhichMomentItIs) {
  Reading reading{.game_ran = true, .databases = 1, .one_database_written = true};
  EXPECT_EQ(grade(reading), Consistency::kCrashConsistent);
  reading.held = true;
  reading.overran = true;
  EXPECT_EQ(grade(reading), Consistency::kCrashConsistent) << "later than what the game had saved";
  reading.overran = false;
  reading.saved_only = true;
  EXPECT_EQ(grade(reading), Consistency::kCrashConsistent);
}

TEST(JudgeTest, TheEvidenceSaysHow) {
  Reading reading = of_held_game();
  reading.databases = 2;
  reading.changed = {"game/a", "game/b"};
  reading.changed_count = 2;
  const ConsistencyVerdict verdict = judge(reading);
  EXPECT_EQ(verdict.evidence,
            "the game confirmed that it has saved and holds still (120 ms); 2 files or folders "
            "were written to while it was read; 2 SQLite databases taken by online backup, each "
            "whole in itself");
  EXPECT_EQ(verdict.pause_ms, 120);
  EXPECT_EQ(verdict.changed_files, reading.changed);
  EXPECT_EQ(verdict.changed_count, 2);
}

}  // namespace
}  // namespace manman::host
