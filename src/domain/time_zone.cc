#include "domain/time_zone.h"

#include <date/tz.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace manman {
namespace {

using std::chrono::seconds;

constexpr int64_t kEver = int64_t{1} << 40;  // in seconds; the year 36812

date::sys_seconds instant(int64_t unix_s) {
  return date::sys_seconds(seconds(std::clamp(unix_s, -kEver, kEver)));
}

int64_t count(auto time) {
  return std::clamp<int64_t>(time.time_since_epoch().count(), -kEver, kEver);
}

}  // namespace

Result<TimeZone> TimeZone::find(std::string_view name) {
  try {
    return TimeZone(date::locate_zone(name.empty() ? "UTC" : name));
  } catch (const std::exception&) {
    return std::unexpected(
        Error{Code::kInvalidArgument, "\"" + std::string(name) + "\" is no time zone known here"}
            .with_hint("a name such as Europe/Berlin; the package tzdata brings them"));
  }
}

TimeZone::Span TimeZone::span_at(int64_t unix_s) const {
  const date::sys_info info = zone_->get_info(instant(unix_s));
  return {count(info.begin), count(info.end), info.offset.count(), info.abbrev};
}

int64_t TimeZone::first_instant(int64_t local_s) const {
  const date::local_seconds local{seconds(std::clamp(local_s, -kEver, kEver))};
  const date::local_info info = zone_->get_info(local);
  if (info.result == date::local_info::nonexistent) return count(info.first.end);
  return local_s - info.first.offset.count();
}

int64_t TimeZone::latest_local(int64_t unix_s) const {
  const Span now = span_at(unix_s);
  const int64_t local_s = unix_s + now.offset_s;
  if (now.begin_s <= -kEver) return local_s;
  // What was reached when this span began.
  return std::max(local_s, now.begin_s - 1 + span_at(now.begin_s - 1).offset_s);
}

std::string TimeZone::show(int64_t unix_s) const {
  const Span span = span_at(unix_s);
  const date::sys_seconds local{seconds(unix_s + span.offset_s)};
  const auto day = date::floor<date::days>(local);
  const date::year_month_day date(day);
  const date::hh_mm_ss<seconds> time(local - day);
  const auto offset_min = static_cast<int>(std::abs(span.offset_s) / 60);
  char text[64];
  std::snprintf(text, sizeof text, "%04d-%02u-%02u %02d:%02d:%02d", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                static_cast<int>(time.seconds().count()));
  char offset[16];
  std::snprintf(offset, sizeof offset, "%c%02d:%02d", span.offset_s < 0 ? '-' : '+',
                offset_min / 60 % 100, offset_min % 60);
  return std::string(text) + " " + span.abbreviation + " (" + offset + ")";
}

}  // namespace manman
