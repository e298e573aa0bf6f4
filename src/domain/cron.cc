#include "domain/cron.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace manman {
namespace {

using namespace std::chrono;

constexpr int64_t kMinute = 60;
constexpr int64_t kHour = 3600;
constexpr int64_t kDay = 86400;
constexpr size_t kMaxBytes = 1000;

struct Shape {
  std::string_view name;
  int low;
  int high;
  std::vector<std::string_view> words = {};  // for low, low + 1, …
};

const Shape kMinutes{"minute", 0, 59};
const Shape kHours{"hour", 0, 23};
const Shape kDays{"day of month", 1, 31};
const Shape kMonths{
    "month",
    1,
    12,
    {"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}};
const Shape kWeekdays{"day of week", 0, 7, {"sun", "mon", "tue", "wed", "thu", "fri", "sat"}};

struct Nickname {
  std::string_view name;
  std::string_view expression;
};
constexpr Nickname kNicknames[] = {
    {"@hourly", "0 * * * *"},   {"@daily", "0 0 * * *"},   {"@midnight", "0 0 * * *"},
    {"@weekly", "0 0 * * 0"},   {"@monthly", "0 0 1 * *"}, {"@yearly", "0 0 1 1 *"},
    {"@annually", "0 0 1 1 *"},
};

std::string lower(std::string_view text) {
  std::string small(text);
  std::ranges::transform(small, small.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return small;
}

std::vector<std::string_view> split(std::string_view text, std::string_view separators) {
  std::vector<std::string_view> parts;
  for (;;) {
    const size_t end = text.find_first_of(separators);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::optional<int> number(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || text[0] == '-' || error != std::errc() || end != text.data() + text.size())
    return std::nullopt;
  return value;
}

class FieldParser {
 public:
  FieldParser(const Shape& shape, std::string_view text) : shape_(shape), text_(text) {}

  template <size_t N>
  Result<std::bitset<N>> parse() const {
    std::bitset<N> values;
    for (const std::string_view item : split(text_, ",")) {
      const size_t slash = item.find('/');
      const std::string_view range = item.substr(0, slash);
      int step = 1;
      if (slash != std::string_view::npos) step = TRY(step_from(range, item.substr(slash + 1)));
      const auto [first, last] = TRY(range_from(range));
      for (int value = first; value <= last; value += step) values.set(static_cast<size_t>(value));
    }
    return values;
  }

 private:
  std::unexpected<Error> wrong(std::string_view part, const std::string& why) const {
    return fail(Code::kInvalidArgument,
                std::string(shape_.name) + " \"" + std::string(part) + "\": " + why);
  }

  Result<int> value_from(std::string_view part) const {
    const auto word = std::ranges::find(shape_.words, lower(part));
    if (word != shape_.words.end())
      return shape_.low + static_cast<int>(word - shape_.words.begin());
    const auto value = number(part);
    if (value && *value >= shape_.low && *value <= shape_.high) return *value;
    std::string allowed =
        "must be " + std::to_string(shape_.low) + " to " + std::to_string(shape_.high);
    if (!shape_.words.empty())
      allowed +=
          ", or " + std::string(shape_.words.front()) + " to " + std::string(shape_.words.back());
    return wrong(part, allowed);
  }

  Result<int> step_from(std::string_view range, std::string_view part) const {
    if (range != "*" && range.find('-') == std::string_view::npos)
      return wrong(text_, "a step needs * or a range before it");
    const auto step = number(part);
    if (!step || *step < 1 || *step > shape_.high)
      return wrong(text_, "a step must be 1 to " + std::to_string(shape_.high));
    return *step;
  }

  Result<std::pair<int, int>> range_from(std::string_view part) const {
    if (part == "*") return std::pair(shape_.low, shape_.high);
    const auto ends = split(part, "-");
    if (ends.size() > 2) return wrong(part, "must be one value, or a range of two");
    const int first = TRY(value_from(ends.front()));
    const int last = TRY(value_from(ends.back()));
    if (first > last) return wrong(part, "the range runs backwards");
    return std::pair(first, last);
  }

  const Shape& shape_;
  const std::string_view text_;
};

Result<std::vector<std::string_view>> fields_of(std::string_view text) {
  std::vector<std::string_view> fields;
  for (const std::string_view word : split(text, " \t"))
    if (!word.empty()) fields.push_back(word);
  if (fields.size() == 1 && fields[0].starts_with('@')) {
    for (const Nickname& nickname : kNicknames)
      if (nickname.name == lower(fields[0])) return split(nickname.expression, " ");
    return fail(Code::kInvalidArgument, "\"" + std::string(fields[0]) +
                                            "\" must be @hourly, @daily, @weekly, @monthly or "
                                            "@yearly");
  }
  if (fields.size() != 5)
    return fail(Code::kInvalidArgument,
                "must be five fields (minute, hour, day of month, month, day of week), not " +
                    std::to_string(fields.size()));
  return fields;
}

// The first value of the set at or after `from`.
template <size_t N>
std::optional<int64_t> first_from(const std::bitset<N>& set, int64_t from) {
  for (auto value = static_cast<size_t>(from); value < N; value++)
    if (set.test(value)) return static_cast<int64_t>(value);
  return std::nullopt;
}

}  // namespace

Result<CronExpression> CronExpression::parse(std::string_view text) {
  if (text.size() > kMaxBytes) return fail(Code::kInvalidArgument, "must be at most 1000 bytes");
  const auto fields = TRY(fields_of(text));
  CronExpression cron;
  cron.minutes_ = TRY(FieldParser(kMinutes, fields[0]).parse<60>());
  cron.hours_ = TRY(FieldParser(kHours, fields[1]).parse<24>());
  cron.days_ = TRY(FieldParser(kDays, fields[2]).parse<32>());
  cron.months_ = TRY(FieldParser(kMonths, fields[3]).parse<13>());
  cron.weekdays_ = TRY(FieldParser(kWeekdays, fields[4]).parse<8>());
  if (cron.weekdays_.test(7)) cron.weekdays_.set(0);
  cron.times_of_day_ = !fields[0].starts_with('*') && !fields[1].starts_with('*');
  cron.either_day_ = !fields[2].starts_with('*') && !fields[4].starts_with('*');
  TRY(cron.check_possible());
  return cron;
}

// Every date that there is falls on every day of the week some year.
Result<void> CronExpression::check_possible() const {
  constexpr int kLongest[] = {0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (either_day_) return {};
  const auto first_day = first_from(days_, 1);
  for (size_t month = 1; month <= 12; month++)
    if (months_.test(month) && *first_day <= kLongest[month]) return {};
  return fail(Code::kInvalidArgument,
              "day of month " + std::to_string(*first_day) + " is in none of its months");
}

bool CronExpression::names_day(int month, int day, int weekday) const {
  if (!months_.test(static_cast<size_t>(month))) return false;
  const bool by_day = days_.test(static_cast<size_t>(day));
  const bool by_weekday = weekdays_.test(static_cast<size_t>(weekday));
  return either_day_ ? by_day || by_weekday : by_day && by_weekday;
}

// The first second of a day at or after from_second that is named; kDay when none is.
int64_t CronExpression::next_in_day(int64_t from_second) const {
  const int64_t from_minute = (from_second + kMinute - 1) / kMinute;
  const int64_t from_hour = from_minute / 60;
  if (from_hour > 23) return kDay;
  if (hours_.test(static_cast<size_t>(from_hour)))
    if (const auto minute = first_from(minutes_, from_minute % 60))
      return from_hour * kHour + *minute * kMinute;
  const auto hour = first_from(hours_, from_hour + 1);
  return hour ? *hour * kHour + *first_from(minutes_, 0) * kMinute : kDay;
}

// The first local time at or after from_local_s. 29 February on one day of the week is the rarest
// of all: it comes within 40 years.
int64_t CronExpression::next_local(int64_t from_local_s) const {
  auto day = floor<days>(sys_seconds(seconds(from_local_s)));
  int64_t second = from_local_s - day.time_since_epoch() / seconds(1);
  for (;;) {
    const year_month_day date(day);
    const auto month = static_cast<unsigned>(date.month());
    if (!months_.test(month)) {
      day = sys_days((date.year() / date.month() + months(1)) / 1);
      second = 0;
      continue;
    }
    const weekday of_week(day);
    if (names_day(static_cast<int>(month), static_cast<int>(static_cast<unsigned>(date.day())),
                  static_cast<int>(of_week.c_encoding())))
      if (const int64_t found = next_in_day(second); found < kDay)
        return day.time_since_epoch() / seconds(1) + found;
    day += days(1);
    second = 0;
  }
}

int64_t CronExpression::next_after(int64_t after_s, const TimeZone& zone) const {
  if (times_of_day_) return zone.first_instant(next_local(zone.latest_local(after_s) + 1));
  for (int64_t from = after_s + 1;;) {
    const TimeZone::Span span = zone.span_at(from);
    const int64_t found = next_local(from + span.offset_s) - span.offset_s;
    if (found < span.end_s) return found;
    from = span.end_s;
  }
}

// Of times on one day and the next; what is further apart than a day counts as a day.
int64_t CronExpression::shortest_gap_s() const {
  int64_t shortest = kDay;
  const int64_t first = next_in_day(0);
  int64_t before = first;
  for (int64_t at = next_in_day(first + 1); at < kDay; at = next_in_day(at + 1)) {
    shortest = std::min(shortest, at - before);
    before = at;
  }
  return std::min(shortest, first + kDay - before);
}

}  // namespace manman
