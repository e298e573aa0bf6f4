#include "domain/schedule.h"

#include <algorithm>

#include "domain/field_checks.h"

namespace manman {
namespace {

constexpr int kMaxMinutes = 366 * 24 * 60;

// SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014).
uint64_t mixed(uint64_t value) {
  value += 0x9E3779B97F4A7C15;
  value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
  value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
  return value ^ (value >> 31);
}

}  // namespace

Result<DueTimes> DueTimes::of(const Schedule& schedule, int64_t policy_id, int64_t created_at) {
  auto zone = TimeZone::find(schedule.zone);
  if (!zone) return std::unexpected(std::move(zone).error().in("zone"));
  if (schedule.every_minutes < 0 || schedule.every_minutes > kMaxMinutes)
    return bad_field("every_minutes", "must be 1 to " + std::to_string(kMaxMinutes));
  if (schedule.every_minutes != 0 && !schedule.cron.empty())
    return bad_field("cron", "is said, and every_minutes too: one of them is enough");
  if (schedule.cron.empty() && !schedule.zone.empty())
    return bad_field("zone", "is that of cron, which is not said");
  DueTimes times(policy_id, *zone);
  times.anchor_s_ = created_at;
  times.every_s_ = int64_t{schedule.every_minutes} * 60;
  times.jitter_s_ = schedule.jitter_seconds;
  int64_t period_s = times.every_s_;
  if (!schedule.cron.empty()) {
    times.cron_ = TRY(in("cron", CronExpression::parse(schedule.cron)));
    period_s = times.cron_->shortest_gap_s();
  }
  if (period_s == 0 && !schedule.at_session_end && !schedule.before_restore)
    return bad_field("cron",
                     "must be said, or every_minutes, at_session_end or before_restore: "
                     "nothing says when it is due");
  if (schedule.jitter_seconds < 0) return bad_field("jitter_seconds", "must not be negative");
  if (schedule.jitter_seconds > 0 && schedule.jitter_seconds >= period_s)
    return bad_field("jitter_seconds", "must be less than the time from one backup to the next (" +
                                           std::to_string(period_s) + " s)");
  return times;
}

int64_t DueTimes::next_base(int64_t after_s) const {
  if (cron_) return cron_->next_after(after_s, zone_);
  return anchor_s_ + (std::max<int64_t>(after_s - anchor_s_, 0) / every_s_ + 1) * every_s_;
}

int64_t DueTimes::jitter_of(int64_t base_s) const {
  if (jitter_s_ == 0) return 0;
  const uint64_t mix =
      mixed(mixed(static_cast<uint64_t>(policy_id_)) ^ static_cast<uint64_t>(base_s));
  return static_cast<int64_t>(mix % static_cast<uint64_t>(jitter_s_ + 1));
}

std::optional<int64_t> DueTimes::next_after(int64_t after_s) const {
  if (every_s_ == 0 && !cron_) return std::nullopt;
  std::optional<int64_t> found;
  // A time that is late by its jitter may belong to a moment up to that long before.
  for (int64_t base = next_base(after_s - jitter_s_ - 1); !found || base < *found;
       base = next_base(base)) {
    const int64_t due = base + jitter_of(base);
    if (due > after_s && (!found || due < *found)) found = due;
  }
  return found;
}

DueTimes::Passed DueTimes::passed(int64_t due_s, int64_t now_s) const {
  Passed passed{.latest = due_s, .missed = 0, .next = next_after(now_s)};
  // The last second after which another one comes until now.
  const auto comes_after = [&](int64_t at) {
    const auto due = next_after(at);
    return due && *due <= now_s;
  };
  if (!comes_after(due_s)) return passed;
  int64_t low = due_s;
  int64_t high = now_s;
  while (high - low > 1) {
    const int64_t middle = low + (high - low) / 2;
    (comes_after(middle) ? low : high) = middle;
  }
  passed.latest = high;
  for (int64_t at = due_s; at < passed.latest && passed.missed < kMaxMissed; at = *next_after(at))
    passed.missed++;
  return passed;
}

}  // namespace manman
