#include "domain/schedule.h"

#include <gtest/gtest.h>

#include <chrono>
#include <set>

namespace manman {
namespace {

constexpr int64_t kCreated = 1'800'000'007;

DueTimes due_times(const Schedule& schedule, int64_t policy_id = 1, int64_t created = kCreated) {
  auto times = DueTimes::of(schedule, policy_id, created);
  if (!times) throw std::runtime_error(times.error().text());
  return *times;
}

std::string error_of(const Schedule& schedule) {
  const auto times = DueTimes::of(schedule, 1, kCreated);
  return times ? "no error" : times.error().message;
}

TEST(Schedule, EveryNMinutesIsCountedFromTheCreation) {
  const DueTimes times = due_times({.every_minutes = 15});
  EXPECT_EQ(times.next_after(kCreated), kCreated + 900);
  EXPECT_EQ(times.next_after(kCreated - 5000), kCreated + 900);
  EXPECT_EQ(times.next_after(kCreated + 899), kCreated + 900);
  EXPECT_EQ(times.next_after(kCreated + 900), kCreated + 1800);
}

TEST(Schedule, EventsAloneHaveNoTimes) {
  EXPECT_FALSE(due_times({.at_session_end = true}).next_after(kCreated));
  EXPECT_FALSE(due_times({.before_restore = true}).next_after(kCreated));
}

TEST(Schedule, JitterIsTheSameEverywhereAndDiffersByPolicy) {
  const Schedule schedule{.cron = "*/10 * * * *", .jitter_seconds = 599};
  std::set<int64_t> delays;
  for (int64_t policy = 1; policy <= 20; policy++) {
    const DueTimes times = due_times(schedule, policy);
    const DueTimes elsewhere = due_times(schedule, policy, kCreated + 77);
    int64_t at = kCreated;
    int64_t period = (kCreated - 600) / 600;
    for (int i = 0; i < 50; i++) {
      const int64_t next = *times.next_after(at);
      EXPECT_EQ(next, *elsewhere.next_after(at));
      EXPECT_GT(next, at);
      EXPECT_EQ(times.next_after(next - 1), next);
      if (i > 0) {  // one in each period, none left out
        EXPECT_EQ(next / 600, period + 1);
      }
      period = next / 600;
      delays.insert(next % 600);
      at = next;
    }
  }
  EXPECT_GT(delays.size(), 400U);
  EXPECT_LT(*delays.begin(), 10);
  EXPECT_GT(*delays.rbegin(), 590);
}

TEST(Schedule, WhatHasPassedIsTheLastOneAndHowManyBeforeIt) {
  for (const Schedule& schedule :
       {Schedule{.every_minutes = 7}, Schedule{.cron = "*/7 1-5 * * *", .jitter_seconds = 59},
        Schedule{.cron = "30 2 * * *", .zone = "Europe/Berlin"}}) {
    const DueTimes times = due_times(schedule);
    std::vector<int64_t> all;
    for (int64_t at = kCreated; all.size() < 300; all.push_back(at)) at = *times.next_after(at);
    for (const size_t from : {0U, 1U, 50U}) {
      for (const size_t to : {from, from + 1, from + 3, size_t{200}}) {
        for (const int64_t now : {all[to], all[to + 1] - 1}) {
          const auto passed = times.passed(all[from], now);
          EXPECT_EQ(passed.latest, all[to]);
          EXPECT_EQ(passed.missed, static_cast<int64_t>(to - from));
          EXPECT_EQ(passed.next, all[to + 1]);
        }
      }
    }
  }
}

TEST(Schedule, YearsAwayTakeNoLonger) {
  const auto begun = std::chrono::steady_clock::now();
  const int64_t now = kCreated + int64_t{8} * 366 * 86400;
  for (const Schedule& schedule :
       {Schedule{.every_minutes = 1}, Schedule{.cron = "* * * * *", .zone = "Europe/Berlin"},
        Schedule{.cron = "0-59 0-23 * * *", .zone = "America/New_York"}}) {
    const DueTimes times = due_times(schedule);
    const auto passed = times.passed(*times.next_after(kCreated), now);
    EXPECT_EQ(passed.missed, DueTimes::kMaxMissed);
    EXPECT_GT(passed.latest, now - 60);
    EXPECT_LE(passed.latest, now);
    EXPECT_EQ(passed.next, passed.latest + 60);
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(5));
}

TEST(Schedule, WhatIsWrongNamesItsField) {
  EXPECT_EQ(error_of({.every_minutes = -1}), "every_minutes: must be 1 to 527040");
  EXPECT_EQ(error_of({.cron = "61 * * * *"}), "cron: minute \"61\": must be 0 to 59");
  EXPECT_EQ(error_of({.cron = "@daily", .zone = "Mars"}),
            "zone: \"Mars\" is no time zone known here");
  EXPECT_EQ(error_of({.every_minutes = 5, .zone = "Europe/Berlin"}),
            "zone: is that of cron, which is not said");
  EXPECT_TRUE(error_of({.every_minutes = 5, .cron = "@daily"}).starts_with("cron: is said, and"));
  EXPECT_TRUE(error_of({}).starts_with("cron: must be said, or every_minutes"));
  EXPECT_EQ(error_of({.every_minutes = 1, .jitter_seconds = 60}),
            "jitter_seconds: must be less than the time from one backup to the next (60 s)");
  EXPECT_TRUE(
      error_of({.cron = "0,1 4 * * *", .jitter_seconds = 60}).starts_with("jitter_seconds: "));
  EXPECT_EQ(error_of({.cron = "0,1 4 * * *", .jitter_seconds = 59}), "no error");
  EXPECT_EQ(error_of({.cron = "30 4 * * *", .jitter_seconds = 86399}), "no error");
  EXPECT_TRUE(
      error_of({.jitter_seconds = 5, .at_session_end = true}).starts_with("jitter_seconds: "));
}

}  // namespace
}  // namespace manman
