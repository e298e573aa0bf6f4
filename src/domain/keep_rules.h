#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace manman {

// A span of the calendar: "1y6m7d12h". Months are the calendar's: a month before 31 March is 3
// March (or 2 March in a leap year), as normalizing dates gives it.
struct CalendarSpan {
  int years = 0;
  int months = 0;
  int days = 0;
  int hours = 0;

  bool operator==(const CalendarSpan&) const = default;
};
// "1y6m7d12h"; "" for an empty one. Anything else, and units in another order, is kInvalidArgument.
std::string to_text(const CalendarSpan& span);
Result<CalendarSpan> calendar_span_from(std::string_view text);

// How long the backups of a policy are kept. A backup stays when one rule keeps it. Meanings are
// those of restic's `forget --keep-*`: of the last so many hours (days, …) that have a backup, the
// newest one. 0 or an empty span says nothing, kAll keeps without end. When nothing is said but
// max_total_bytes, all are kept that it allows; when nothing is said at all, all are kept.
struct KeepRules {
  static constexpr int kAll = -1;

  int last = 0;
  int hourly = 0;
  int daily = 0;
  int weekly = 0;  // ISO 8601 weeks
  int monthly = 0;
  int yearly = 0;
  CalendarSpan within;  // before the newest backup
  // Of what the other rules keep, the newest stay as long as they have at most so many bytes
  // together; 0: no limit.
  int64_t max_total_bytes = 0;

  bool operator==(const KeepRules&) const = default;
};
// Whether each number can be one; kInvalidArgument naming the field ("keep.daily: …").
Result<void> check(const KeepRules& keep);

}  // namespace manman
