#include "domain/keep_rules.h"

#include <array>
#include <charconv>

#include "domain/field_checks.h"

namespace manman {
namespace {

constexpr int kMost = 1'000'000;
constexpr int kMostInSpan = 9999;  // of years, times are still counted right

}  // namespace

std::string to_text(const CalendarSpan& span) {
  std::string text;
  const auto add = [&](int count, char unit) {
    if (count != 0) text += std::to_string(count) + unit;
  };
  add(span.years, 'y');
  add(span.months, 'm');
  add(span.days, 'd');
  add(span.hours, 'h');
  return text;
}

Result<CalendarSpan> calendar_span_from(std::string_view text) {
  CalendarSpan span;
  int* const counts[] = {&span.years, &span.months, &span.days, &span.hours};
  std::array<bool, 4> said{};
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at != end) {
    int count = -1;
    const auto [rest, error] = std::from_chars(at, end, count);
    const size_t unit = rest == end ? std::string_view::npos : std::string_view("ymdh").find(*rest);
    if (error != std::errc() || *at == '-' || count > kMostInSpan ||
        unit == std::string_view::npos || said[unit])
      return fail(Code::kInvalidArgument, "\"" + std::string(text) +
                                              "\" must be years, months, days and hours, each "
                                              "at most 9999, such as 1y6m7d12h");
    *counts[unit] = count;
    said[unit] = true;
    at = rest + 1;
  }
  return span;
}

Result<void> check(const KeepRules& keep) {
  const auto check_count = [](std::string_view name, int count) -> Result<void> {
    if (count >= KeepRules::kAll && count <= kMost) return {};
    return bad_field("keep." + std::string(name), "must be 0 to 1000000, or -1 for all");
  };
  TRY(check_count("last", keep.last));
  TRY(check_count("hourly", keep.hourly));
  TRY(check_count("daily", keep.daily));
  TRY(check_count("weekly", keep.weekly));
  TRY(check_count("monthly", keep.monthly));
  TRY(check_count("yearly", keep.yearly));
  if (keep.max_total_bytes < 0) return bad_field("keep.max_total_bytes", "must not be negative");
  return {};
}

}  // namespace manman
