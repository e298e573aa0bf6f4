#include "domain/cron.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <ctime>
#include <random>
#include <set>
#include <sstream>
#include <vector>

namespace manman {
namespace {

TimeZone zone(const std::string& name) {
  auto found = TimeZone::find(name);
  if (!found) throw std::runtime_error(found.error().text());
  return *found;
}

CronExpression cron(const std::string& text) {
  auto parsed = CronExpression::parse(text);
  if (!parsed) throw std::runtime_error(parsed.error().text());
  return *parsed;
}

// "2026-03-29 01:59" in UTC.
int64_t utc(const std::string& text) {
  std::tm parts{};
  if (strptime(text.c_str(), "%Y-%m-%d %H:%M", &parts) == nullptr) throw std::runtime_error(text);
  return timegm(&parts);
}

// A daemon that wakes up each minute and looks at the C library's clock: nothing of it is shared
// with the code under test. A time of the day is due once the clock has first reached it.
class Daemon {
 public:
  Daemon(const std::string& zone_name, const std::string& expression) {
    setenv("TZ", zone_name.c_str(), 1);
    tzset();
    std::istringstream words(expression);
    std::string field[5];
    for (auto& text : field) words >> text;
    const int low[] = {0, 0, 1, 1, 0};
    const int high[] = {59, 23, 31, 12, 7};
    for (int i = 0; i < 5; i++) values_[i] = expand(field[i], low[i], high[i]);
    if (values_[4].contains(7)) values_[4].insert(0);
    real_time_ = field[0][0] == '*' || field[1][0] == '*';
    both_days_ = field[2][0] == '*' || field[4][0] == '*';
  }

  std::vector<int64_t> due(int64_t from_s, int64_t until_s) {
    std::vector<int64_t> times;
    int64_t reached = local(from_s - 86400 * 2) / 60;
    for (int64_t now = from_s - 86400 * 2; now <= until_s; now += 60) {
      const int64_t minute = local(now) / 60;
      bool fires = real_time_ && matches(minute);
      for (int64_t passed = reached + 1; !real_time_ && passed <= minute; passed++)
        fires = fires || matches(passed);
      reached = std::max(reached, minute);
      if (fires && now > from_s) times.push_back(now);
    }
    return times;
  }

 private:
  static std::set<int> expand(const std::string& text, int low, int high) {
    std::set<int> values;
    std::istringstream items(text);
    for (std::string item; std::getline(items, item, ',');) {
      int step = 1;
      if (const auto slash = item.find('/'); slash != std::string::npos) {
        step = std::stoi(item.substr(slash + 1));
        item.resize(slash);
      }
      int first = low;
      int last = high;
      if (item != "*") {
        const auto dash = item.find('-');
        first = std::stoi(item.substr(0, dash));
        last = dash == std::string::npos ? first : std::stoi(item.substr(dash + 1));
      }
      for (int value = first; value <= last; value += step) values.insert(value);
    }
    return values;
  }

  // Local time as if it were UTC.
  static int64_t local(int64_t unix_s) {
    const time_t time = unix_s;
    std::tm parts{};
    localtime_r(&time, &parts);
    return unix_s + parts.tm_gmtoff;
  }

  bool matches(int64_t local_minute) const {
    const time_t time = local_minute * 60;
    std::tm at{};
    gmtime_r(&time, &at);
    if (!values_[0].contains(at.tm_min) || !values_[1].contains(at.tm_hour) ||
        !values_[3].contains(at.tm_mon + 1))
      return false;
    const bool day = values_[2].contains(at.tm_mday);
    const bool weekday = values_[4].contains(at.tm_wday);
    return both_days_ ? day && weekday : day || weekday;
  }

  std::set<int> values_[5];
  bool real_time_ = false;
  bool both_days_ = false;
};

std::vector<int64_t> all_between(const CronExpression& expression, const TimeZone& in,
                                 int64_t from_s, int64_t until_s) {
  std::vector<int64_t> times;
  for (int64_t at = expression.next_after(from_s, in); at <= until_s;
       at = expression.next_after(at, in))
    times.push_back(at);
  return times;
}

void expect_as_daemon(const std::string& zone_name, const std::string& expression, int64_t from_s,
                      int64_t until_s) {
  const auto found = all_between(cron(expression), zone(zone_name), from_s, until_s);
  const auto expected = Daemon(zone_name, expression).due(from_s, until_s);
  ASSERT_EQ(found, expected) << expression << " in " << zone_name << " from " << from_s;
}

struct Place {
  const char* zone;
  const char* around;  // a change of its clocks, in UTC
};
constexpr Place kPlaces[] = {
    {"Europe/Berlin", "2026-03-29 01:00"},       {"Europe/Berlin", "2026-10-25 01:00"},
    {"America/New_York", "2026-03-08 07:00"},    {"America/New_York", "2026-11-01 06:00"},
    {"Australia/Lord_Howe", "2026-04-04 15:00"}, {"Australia/Lord_Howe", "2026-10-03 15:30"},
    {"Pacific/Apia", "2011-12-30 10:00"},        {"America/Sao_Paulo", "2018-11-04 03:00"},
    {"Africa/Casablanca", "2026-02-15 02:00"},   {"UTC", "2028-02-29 00:00"},
    {"Asia/Kathmandu", "2027-12-31 18:00"},
};

TEST(Cron, IsDueWhenADaemonThatLooksEachMinuteSaysSo) {
  const char* const expressions[] = {
      "30 2 * * *",      "0 2 * * *",    "0,15,30,45 2,3 * * *", "59 1 * * *",    "0 3 * * *",
      "*/10 * * * *",    "0 * * * *",    "*/30 2 * * *",         "15 1-3 * * *",  "0 0 * * *",
      "30 0-23/2 * * *", "0 12 30 12 *", "30 4 * * 0",           "0 4 29-31 * 6", "5 1 1 1-12/3 *",
      "0-59 0-23 * * *", "0 0 29 2 *",   "45 23 */2 * 1-5",
  };
  for (const Place& place : kPlaces)
    for (const char* expression : expressions)
      expect_as_daemon(place.zone, expression, utc(place.around) - 3 * 86400,
                       utc(place.around) + 4 * 86400);
}

TEST(Cron, IsDueWhenTheDaemonSaysSoByAnyExpression) {
  const auto seed = static_cast<unsigned>(time(nullptr));
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const auto field = [&](int low, int high, int stars) {
    const auto pick = [&](int from, int to) {
      return from + static_cast<int>(random() % static_cast<unsigned>(to - from + 1));
    };
    if (pick(1, 10) <= stars)
      return pick(0, 2) == 0 ? "*/" + std::to_string(pick(2, 7)) : std::string("*");
    std::string text;
    for (int n = pick(1, 3); n > 0; n--) {
      const int first = pick(low, high);
      text += (text.empty() ? "" : ",") + std::to_string(first);
      if (pick(0, 2) == 0) text += "-" + std::to_string(pick(first, high));
    }
    return text;
  };
  for (int round = 0; round < 60; round++) {
    const Place& place = kPlaces[random() % std::size(kPlaces)];
    const std::string expression = field(0, 59, 3) + " " + field(0, 23, 3) + " " + field(1, 28, 7) +
                                   " " + field(1, 12, 8) + " " + field(0, 7, 7);
    expect_as_daemon(place.zone, expression, utc(place.around) - 2 * 86400,
                     utc(place.around) + 3 * 86400);
  }
}

TEST(Cron, ATimeThatDoesNotExistIsTheFirstInstantAfterTheGap) {
  const auto next = [](const char* expression, const char* name, const char* after) {
    return cron(expression).next_after(utc(after), zone(name));
  };
  EXPECT_EQ(next("30 2 * * *", "Europe/Berlin", "2026-03-28 12:00"), utc("2026-03-29 01:00"));
  EXPECT_EQ(next("30 2 * * *", "Europe/Berlin", "2026-03-29 01:00"), utc("2026-03-30 00:30"));
  EXPECT_EQ(next("30 2 * * *", "America/New_York", "2026-03-08 00:00"), utc("2026-03-08 07:00"));
  EXPECT_EQ(next("10 2 * * *", "Australia/Lord_Howe", "2026-10-03 12:00"), utc("2026-10-03 15:30"));
  // The whole of 30 December was left out.
  EXPECT_EQ(next("0 12 30 12 *", "Pacific/Apia", "2011-12-01 00:00"), utc("2011-12-30 10:00"));
  // Every ten minutes goes on by real time.
  EXPECT_EQ(next("*/10 * * * *", "Europe/Berlin", "2026-03-29 00:50"), utc("2026-03-29 01:00"));
}

TEST(Cron, ATimeThatExistsTwiceIsTheFirstOfThem) {
  const auto berlin = zone("Europe/Berlin");
  EXPECT_EQ(cron("30 2 * * *").next_after(utc("2026-10-24 12:00"), berlin),
            utc("2026-10-25 00:30"));
  EXPECT_EQ(cron("30 2 * * *").next_after(utc("2026-10-25 00:30"), berlin),
            utc("2026-10-26 01:30"));
  EXPECT_EQ(cron("30 * * * *").next_after(utc("2026-10-25 00:30"), berlin),
            utc("2026-10-25 01:30"));
  EXPECT_EQ(cron("45 1 * * *").next_after(utc("2026-04-04 10:00"), zone("Australia/Lord_Howe")),
            utc("2026-04-04 14:45"));
}

TEST(Cron, RareDatesAreFoundAtOnce) {
  const auto begun = std::chrono::steady_clock::now();
  EXPECT_EQ(cron("0 0 29 2 *").next_after(utc("2026-01-01 00:00"), zone("")),
            utc("2028-02-29 00:00"));
  // A field that begins with a star narrows the other: 29 February on a Sunday.
  EXPECT_EQ(cron("0 0 29 2 */7").next_after(utc("2026-01-01 00:00"), zone("")),
            utc("2032-02-29 00:00"));
  EXPECT_EQ(cron("0 0 29 2 */7").next_after(utc("2072-03-01 00:00"), zone("")),
            utc("2088-02-29 00:00"));
  EXPECT_EQ(cron("* * 29 2 */7").next_after(utc("2088-03-01 00:00"), zone("Europe/Berlin")),
            utc("2128-02-28 23:00"));
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(1));
}

TEST(Cron, NamesNicknamesAndSundays) {
  const auto same = [](const char* one, const char* other) {
    const int64_t from = utc("2026-02-01 00:00");
    EXPECT_EQ(all_between(cron(one), zone(""), from, from + 200 * 86400),
              all_between(cron(other), zone(""), from, from + 200 * 86400))
        << one;
  };
  same("0 4 * * 7", "0 4 * * 0");
  same("0 4 * * Sun,wed", "0 4 * * 0,3");
  same("0 4 * * fri-7", "0 4 * * 5,6,0");
  same("0 4 1 JAN-mar,Jul *", "0 4 1 1,2,3,7 *");
  same("@hourly", "0 * * * *");
  same("@daily", "0 0 * * *");
  same("@weekly", "0 0 * * 0");
  same("@monthly", "0 0 1 * *");
  same("@Yearly", "0 0 1 1 *");
  same("  5\t4 * *   1 ", "5 4 * * 1");
}

TEST(Cron, RefusesWhatMeansNothing) {
  const auto error = [](const std::string& text) {
    const auto parsed = CronExpression::parse(text);
    return parsed ? "no error" : parsed.error().message;
  };
  EXPECT_EQ(error("60 * * * *"), "minute \"60\": must be 0 to 59");
  EXPECT_EQ(error("* 24 * * *"), "hour \"24\": must be 0 to 23");
  EXPECT_EQ(error("* * 0 * *"), "day of month \"0\": must be 1 to 31");
  EXPECT_EQ(error("* * * foo *"), "month \"foo\": must be 1 to 12, or jan to dec");
  EXPECT_EQ(error("* * * * 8"), "day of week \"8\": must be 0 to 7, or sun to sat");
  EXPECT_EQ(error("5/10 * * * *"), "minute \"5/10\": a step needs * or a range before it");
  EXPECT_EQ(error("*/0 * * * *"), "minute \"*/0\": a step must be 1 to 59");
  EXPECT_EQ(error("9-5 * * * *"), "minute \"9-5\": the range runs backwards");
  EXPECT_EQ(error("1-2-3 * * * *"), "minute \"1-2-3\": must be one value, or a range of two");
  EXPECT_EQ(error(",1 * * * *"), "minute \"\": must be 0 to 59");
  EXPECT_EQ(error("-1 * * * *"), "minute \"\": must be 0 to 59");
  EXPECT_EQ(error("+1 * * * *"), "minute \"+1\": must be 0 to 59");
  EXPECT_EQ(error("0 0 31 2 *"), "day of month 31 is in none of its months");
  EXPECT_EQ(error("0 0 31 4,6,9,11 *"), "day of month 31 is in none of its months");
  EXPECT_EQ(error("0 0 31 2 1"), "no error");  // or each Monday of February
  EXPECT_TRUE(error("* * * *").starts_with("must be five fields")) << error("* * * *");
  EXPECT_TRUE(error("0 * * * * *").ends_with("not 6"));
  EXPECT_TRUE(error("").ends_with("not 0"));
  EXPECT_TRUE(error("@reboot").starts_with("\"@reboot\" must be @hourly"));
  EXPECT_EQ(error(std::string(5000, '1')), "must be at most 1000 bytes");
}

TEST(TimeZone, UnknownNamesAreRefused) {
  for (const char* name :
       {"Mars/Olympus", "../etc/passwd", "/etc/passwd", "Europe", "CEST+5 nonsense"})
    EXPECT_FALSE(TimeZone::find(name)) << name;
  EXPECT_EQ(zone("Europe/Berlin").show(utc("2026-03-29 01:00")),
            "2026-03-29 03:00:00 CEST (+02:00)");
  EXPECT_EQ(zone("Australia/Lord_Howe").show(utc("2026-07-01 00:00")),
            "2026-07-01 10:30:00 +1030 (+10:30)");
  EXPECT_EQ(zone("").show(0), "1970-01-01 00:00:00 UTC (+00:00)");
}

}  // namespace
}  // namespace manman
