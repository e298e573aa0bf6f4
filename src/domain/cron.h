#pragma once

#include <bitset>
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "domain/time_zone.h"

namespace manman {

// A cron expression as crontab(5) of Debian has it: five fields (minute, hour, day of the month,
// month, day of the week) of lists, ranges, steps ("*/15", "8-18/2") and the English names of
// months and weekdays (three letters); 0 and 7 are Sunday. Or @hourly, @daily, @midnight, @weekly,
// @monthly, @yearly, @annually.
//
// Days: when neither field of a day begins with "*", a day that one of them names is meant;
// otherwise it must be named by both.
//
// When clocks are changed, as cron(8) does it:
// - An expression whose minute and hour both begin with something else than "*" means times of the
//   day. One that does not exist on a day happens once, at the first instant after the gap; one
//   that exists twice happens once, the first time.
// - Any other ("*/10 * * * *", "0 * * * *") follows real time: it happens at each instant whose
//   local time it names, so also twice, or not at all in a gap.
class CronExpression {
 public:
  // kInvalidArgument naming the field ("minute \"61\": must be 0 to 59"), also for a date that no
  // year has ("0 0 31 2 *").
  static Result<CronExpression> parse(std::string_view text);

  // The first time after an instant, both in Unix seconds. Takes microseconds, however far it is.
  int64_t next_after(int64_t after_s, const TimeZone& zone) const;

  // The shortest time in seconds between two that it names, where clocks are not changed.
  int64_t shortest_gap_s() const;

 private:
  Result<void> check_possible() const;
  bool names_day(int month, int day, int weekday) const;
  int64_t next_local(int64_t from_local_s) const;
  int64_t next_in_day(int64_t from_second) const;

  std::bitset<60> minutes_;
  std::bitset<24> hours_;
  std::bitset<32> days_;
  std::bitset<13> months_;
  std::bitset<8> weekdays_;  // 0 is Sunday; 7 is not used
  bool either_day_ = false;  // a day of one of the two fields is enough
  bool times_of_day_ = false;
};

}  // namespace manman
