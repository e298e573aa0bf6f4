#include "domain/retention.h"

#include "domain/retention_model_for_tests.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <random>
#include <set>
#include <sstream>

namespace manman {
namespace {

using Candidates = std::vector<RetentionCandidate>;

int64_t utc(const std::string& text) {  // "2015-10-22 10:20:30"
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  EXPECT_EQ(
      std::sscanf(text.c_str(), "%d-%d-%d %d:%d:%d", &year, &month, &day, &hour, &minute, &second),
      6);
  const std::chrono::sys_days date = std::chrono::year(year) / month / day;
  return std::chrono::seconds(date.time_since_epoch()).count() + hour * 3600 + minute * 60 + second;
}

std::string text_of(int64_t unix_seconds) {
  const std::chrono::sys_seconds time{std::chrono::seconds(unix_seconds)};
  const auto date = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day day(date);
  const std::chrono::hh_mm_ss clock(time - date);
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02u %02d:%02d:%02d", int(day.year()),
                unsigned(day.month()), unsigned(day.day()), int(clock.hours().count()),
                int(clock.minutes().count()), int(clock.seconds().count()));
  return text.data();
}

std::map<int64_t, RetentionDecision> decide(
    const KeepRules& rules, Candidates candidates, std::vector<int64_t> last_good = {},
    UtcOffset offset = [](int64_t) { return 0; }) {
  sort_newest_first(candidates);
  RetentionOverview overview;
  for (const RetentionCandidate& candidate : candidates) overview.add(candidate);
  overview.last_good_ids = std::move(last_good);
  Retention retention(rules, std::move(offset), overview);
  std::map<int64_t, RetentionDecision> decisions;
  for (const RetentionCandidate& candidate : candidates)
    decisions[candidate.backup_id] = retention.decide(candidate);
  return decisions;
}

// The times of restic's own test of its policies (internal/data/snapshot_policy_test.go).
Candidates restic_snapshots() {
  Candidates candidates;
  const auto add = [&](const std::string& time) {
    candidates.push_back(
        {.backup_id = static_cast<int64_t>(candidates.size()) + 1, .created_at = utc(time)});
  };
  const std::vector<std::pair<std::string, std::string>> months{
      {"2014-09", "01 02 05 06 08 09 10 11 20 22"},
      {"2014-08", "08 10 12 13 13 15 18 20 21 22"},
      {"2014-10", "01 02 05 06 08 09 10 11 20 22"},
      {"2014-11", "08 10 12 13 13 15 18 20 21 22"},
      {"2015-09", "01 02 05 06 08 09 10 11 20 22"},
      {"2015-08", "08 10 12 13 13 15 18 20 21 22"},
      {"2015-10", "01 02 05 06 08 09 10 11 20 22 22 22 22 22"},
      {"2015-11", "08 10 12 13 13 15 18 20 21 22"}};
  for (const auto& [month, days] : months) {
    std::istringstream each(days);
    for (std::string day; each >> day;) add(month + "-" + day + " 10:20:30");
  }
  for (const char* time :
       {"01 01:02:03", "01 01:03:03", "01 07:08:03", "03 07:02:03", "04 10:23:03", "04 11:23:03",
        "04 12:23:03", "04 12:24:03", "04 12:28:03", "04 12:30:03", "04 16:23:03", "05 09:02:03",
        "06 08:02:03", "07 10:02:03", "08 20:02:03", "09 21:02:03", "12 21:02:03", "12 21:08:03",
        "18 12:02:03"})
    add(std::string("2016-01-") + time);
  return candidates;
}

struct ResticCase {
  const char* name;
  KeepRules rules;
  size_t count;                          // of those that are kept
  std::vector<std::string> newest = {};  // of these, the first ones
  std::string oldest = {};
};

// What restic keeps of them, as restic 0.14 has said of such snapshots. Where versions from 0.16 on
// also keep the oldest one: "yearly 10" and "monthly all, yearly all" are as published
// (internal/data/testdata/policy_keep_snapshots_16 and _39), "… yearly 10" follows from them.
std::vector<ResticCase> restic_cases() {
  const auto within = [](const char* text) {
    return KeepRules{.within = *calendar_span_from(text)};
  };
  constexpr int kAll = KeepRules::kAll;
  const std::string newest = "2016-01-18 12:02:03";
  const std::string oldest = "2014-08-08 10:20:30";
  return {
      {"nothing", {}, 103},
      {"last 10",
       {.last = 10},
       10,
       {newest, "2016-01-12 21:08:03", "2016-01-12 21:02:03"},
       "2016-01-04 12:30:03"},
      {"last 15", {.last = 15}, 15, {newest}, "2016-01-04 10:23:03"},
      {"last 99", {.last = 99}, 99, {newest}, "2014-08-13 10:20:30"},
      {"last 200", {.last = 200}, 103, {newest}, oldest},
      {"hourly 20",
       {.hourly = 20},
       20,
       {newest, "2016-01-12 21:08:03", "2016-01-09 21:02:03"},
       "2015-11-13 10:20:30"},
      {"daily 3", {.daily = 3}, 3, {newest, "2016-01-12 21:08:03", "2016-01-09 21:02:03"}},
      {"daily 10",
       {.daily = 10},
       10,
       {newest, "2016-01-12 21:08:03", "2016-01-09 21:02:03", "2016-01-08 20:02:03",
        "2016-01-07 10:02:03", "2016-01-06 08:02:03", "2016-01-05 09:02:03", "2016-01-04 16:23:03",
        "2016-01-03 07:02:03", "2016-01-01 07:08:03"}},
      {"daily 30", {.daily = 30}, 30, {newest}, "2015-09-22 10:20:30"},
      {"last 5, daily 5",
       {.last = 5, .daily = 5},
       6,
       {newest, "2016-01-12 21:08:03", "2016-01-12 21:02:03", "2016-01-09 21:02:03",
        "2016-01-08 20:02:03", "2016-01-07 10:02:03"}},
      {"last 2, daily 10",
       {.last = 2, .daily = 10},
       10,
       {newest, "2016-01-12 21:08:03"},
       "2016-01-01 07:08:03"},
      {"weekly 2", {.weekly = 2}, 2, {newest, "2016-01-12 21:08:03"}},
      {"weekly 4",
       {.weekly = 4},
       4,
       {newest, "2016-01-12 21:08:03", "2016-01-09 21:02:03", "2016-01-03 07:02:03"}},
      {"daily 3, weekly 4",
       {.daily = 3, .weekly = 4},
       4,
       {newest, "2016-01-12 21:08:03", "2016-01-09 21:02:03", "2016-01-03 07:02:03"}},
      {"monthly 6",
       {.monthly = 6},
       6,
       {newest, "2015-11-22 10:20:30", "2015-10-22 10:20:30", "2015-09-22 10:20:30",
        "2015-08-22 10:20:30", "2014-11-22 10:20:30"}},
      {"daily 2, weekly 2, monthly 6",
       {.daily = 2, .weekly = 2, .monthly = 6},
       7,
       {newest, "2016-01-12 21:08:03", "2015-11-22 10:20:30", "2015-10-22 10:20:30",
        "2015-09-22 10:20:30", "2015-08-22 10:20:30", "2014-11-22 10:20:30"}},
      {"yearly 10",
       {.yearly = 10},
       4,
       {newest, "2015-11-22 10:20:30", "2014-11-22 10:20:30", oldest}},
      {"daily 7, weekly 2, monthly 3, yearly 10",
       {.daily = 7, .weekly = 2, .monthly = 3, .yearly = 10},
       11,
       {newest, "2016-01-12 21:08:03", "2016-01-09 21:02:03", "2016-01-08 20:02:03",
        "2016-01-07 10:02:03", "2016-01-06 08:02:03", "2016-01-05 09:02:03", "2015-11-22 10:20:30",
        "2015-10-22 10:20:30", "2014-11-22 10:20:30", oldest}},
      {"within 1d", within("1d"), 1, {newest}},
      {"within 2d", within("2d"), 1, {newest}},
      {"within 7d", within("7d"), 3, {newest, "2016-01-12 21:08:03", "2016-01-12 21:02:03"}},
      {"within 1m", within("1m"), 19, {newest}, "2016-01-01 01:02:03"},
      {"within 1m14d", within("1m14d"), 19, {newest}, "2016-01-01 01:02:03"},
      {"within 1y1d1m", within("1y1d1m"), 63, {newest}, "2015-08-08 10:20:30"},
      {"within 13d23h", within("13d23h"), 9, {newest}, "2016-01-04 16:23:03"},
      {"within 2m2h", within("2m2h"), 23, {newest}, "2015-11-18 10:20:30"},
      {"within 1y2m3d3h", within("1y2m3d3h"), 68, {newest}, "2014-11-15 10:20:30"},
      {"all last", {.last = kAll}, 103, {newest}, oldest},
      {"all last and hourly", {.last = kAll, .hourly = kAll}, 103, {newest}, oldest},
      {"daily 3, weekly 2, monthly all, yearly all",
       {.daily = 3, .weekly = 2, .monthly = kAll, .yearly = kAll},
       12,
       {newest, "2016-01-12 21:08:03", "2016-01-09 21:02:03", "2015-11-22 10:20:30",
        "2015-10-22 10:20:30", "2015-09-22 10:20:30", "2015-08-22 10:20:30", "2014-11-22 10:20:30",
        "2014-10-22 10:20:30", "2014-09-22 10:20:30", "2014-08-22 10:20:30", oldest}},
  };
}

TEST(Retention, KeepsWhatResticKeeps) {
  for (const ResticCase& one : restic_cases()) {
    SCOPED_TRACE(one.name);
    Candidates candidates = restic_snapshots();
    const auto decisions = decide(one.rules, candidates);
    sort_newest_first(candidates);
    std::vector<std::string> kept;
    for (const RetentionCandidate& candidate : candidates)
      if (decisions.at(candidate.backup_id).keep) kept.push_back(text_of(candidate.created_at));
    EXPECT_EQ(kept.size(), one.count);
    const std::vector<std::string> first(
        kept.begin(),
        kept.begin() + static_cast<ptrdiff_t>(std::min(one.newest.size(), kept.size())));
    EXPECT_EQ(first, one.newest);
    if (!one.oldest.empty()) {
      EXPECT_EQ(kept.back(), one.oldest);
    }
  }
}

Candidates days_apart(int count, int64_t size = 10) {
  Candidates candidates;
  for (int i = 1; i <= count; i++)
    candidates.push_back({.backup_id = i,
                          .created_at = utc("2026-03-01 12:00:00") + i * 86'400,
                          .size_bytes = size});
  return candidates;
}

std::set<int64_t> kept(const std::map<int64_t, RetentionDecision>& decisions) {
  std::set<int64_t> ids;
  for (const auto& [id, decision] : decisions)
    if (decision.keep) ids.insert(id);
  return ids;
}

TEST(Retention, NothingGoesOnAccountOfOneThatIsNotGood) {
  Candidates candidates = days_apart(6);
  candidates[5].not_good = "verification failed";
  candidates[3].not_good = "not verified yet";
  const auto decisions = decide({.last = 2}, candidates);
  EXPECT_EQ(kept(decisions), (std::set<int64_t>{3, 4, 5, 6}));
  EXPECT_EQ(decisions.at(6).reasons, std::vector<std::string>{"verification failed"});
}

TEST(Retention, NoneIsGoodAndNoneGoes) {
  Candidates candidates = days_apart(3);
  for (auto& candidate : candidates) candidate.not_good = "not verified yet";
  EXPECT_EQ(kept(decide({.last = 1}, candidates)).size(), 3U);
}

TEST(Retention, PinnedAndLastGoodOnesNeverGo) {
  Candidates candidates = days_apart(5);
  candidates[0].pinned = true;
  EXPECT_EQ(kept(decide({.last = 1}, candidates, {3})), (std::set<int64_t>{1, 3, 5}));
  EXPECT_EQ(decide({.last = 1}, candidates, {3}).at(3).reasons,
            std::vector<std::string>{"last good one"});
}

TEST(Retention, TheNewestStayWithinTheTotalSize) {
  Candidates candidates = days_apart(6, 10);
  EXPECT_EQ(kept(decide({.max_total_bytes = 35}, candidates)), (std::set<int64_t>{4, 5, 6}));
  EXPECT_EQ(kept(decide({.max_total_bytes = 30}, candidates)), (std::set<int64_t>{4, 5, 6}));
  EXPECT_EQ(kept(decide({.last = 2, .max_total_bytes = 100}, candidates)),
            (std::set<int64_t>{5, 6}));
  candidates[1].pinned = true;  // takes its place whether old or not
  EXPECT_EQ(kept(decide({.max_total_bytes = 30}, candidates)), (std::set<int64_t>{2, 5, 6}));
  EXPECT_EQ(kept(decide({.max_total_bytes = 5}, candidates, {6})), (std::set<int64_t>{2, 6}));
  // A small one behind a large one doesn't slip in.
  candidates[4].size_bytes = 100;
  EXPECT_EQ(kept(decide({.max_total_bytes = 30}, candidates)), (std::set<int64_t>{2, 6}));
}

TEST(Retention, DaysAreThoseOfTheZone) {
  const Candidates candidates{{.backup_id = 1, .created_at = utc("2026-03-01 22:30:00")},
                              {.backup_id = 2, .created_at = utc("2026-03-01 23:30:00")}};
  EXPECT_EQ(kept(decide({.daily = 5}, candidates, {})),
            (std::set<int64_t>{1, 2}));  // 1: the oldest
  EXPECT_EQ(decide({.daily = 5}, candidates).at(1).reasons,
            std::vector<std::string>{"oldest daily"});
  const auto abroad = decide({.daily = 5}, candidates, {}, [](int64_t) { return 3600; });
  EXPECT_EQ(abroad.at(1).reasons, std::vector<std::string>{"daily"});
}

TEST(Retention, SpansOfTheCalendar) {
  EXPECT_EQ(to_text(*calendar_span_from("12h7d1y6m")), "1y6m7d12h");
  EXPECT_EQ(*calendar_span_from(""), CalendarSpan());
  for (const char* text : {"7", "d", "-1d", "1d1d", "1w", "1d ", "99999999999d", "1dx", "10000d"}) {
    const auto span = calendar_span_from(text);
    ASSERT_FALSE(span) << text;
    EXPECT_EQ(span.error().code, Code::kInvalidArgument);
    EXPECT_NE(span.error().message.find("such as"), std::string::npos);
  }
}

TEST(Retention, EqualsAModelOfRandomRules) {
  std::mt19937_64 noise(20260301);
  const auto up_to = [&](int64_t most) {
    return static_cast<int64_t>(noise() % static_cast<uint64_t>(most + 1));
  };
  for (int round = 0; round < 3000; round++) {
    const auto rule = [&] { return up_to(3) != 0 ? 0 : static_cast<int>(up_to(12)) - 1; };
    KeepRules rules{.last = rule(),
                    .hourly = rule(),
                    .daily = rule(),
                    .weekly = rule(),
                    .monthly = rule(),
                    .yearly = rule()};
    if (up_to(3) == 0)
      rules.within = {static_cast<int>(up_to(1)), static_cast<int>(up_to(2)),
                      static_cast<int>(up_to(10)), static_cast<int>(up_to(30))};
    if (up_to(3) == 0) rules.max_total_bytes = 1 + up_to(300);
    Candidates candidates;
    const int64_t spread = int64_t{3600} << up_to(13);
    for (int64_t id = 1, count = up_to(40); id <= count; id++) {
      candidates.push_back({.backup_id = id,
                            .created_at = utc("2025-12-31 23:00:00") + up_to(spread),
                            .size_bytes = up_to(20),
                            .pinned = up_to(9) == 0,
                            .not_good = up_to(5) == 0 ? "not verified yet" : ""});
    }
    const int64_t last_good = up_to(40);
    EXPECT_EQ(kept(decide(rules, candidates, {last_good})),
              retention_model(rules, candidates, {last_good}))
        << "round " << round;
    if (testing::Test::HasFailure()) break;
  }
}

}  // namespace
}  // namespace manman
