#include "domain/retention.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace manman {
namespace {

using std::chrono::days;
using std::chrono::floor;
using std::chrono::seconds;
using std::chrono::sys_days;
using std::chrono::sys_seconds;
using std::chrono::year_month;
using std::chrono::year_month_day;

// Local times are counted as if they were UTC.
sys_days day_of(int64_t local) {
  return floor<days>(sys_seconds(seconds(local)));
}

year_month month_of(int64_t local) {
  const year_month_day date(day_of(local));
  return date.year() / date.month();
}

int64_t hour_number(int64_t local) {
  return floor<std::chrono::hours>(seconds(local)).count();
}

int64_t day_number(int64_t local) {
  return day_of(local).time_since_epoch().count();
}

int64_t week_number(int64_t local) {
  constexpr sys_days kMonday = std::chrono::year(1970) / 1 / 5;
  return floor<std::chrono::weeks>(day_of(local) - kMonday).count();
}

int64_t month_number(int64_t local) {
  return (month_of(local) - year_month()).count();
}

int64_t year_number(int64_t local) {
  return static_cast<int>(month_of(local).year());
}

// A day beyond its month's end is one of the next month.
int64_t before(int64_t local, const CalendarSpan& span) {
  const year_month month =
      month_of(local) - std::chrono::years(span.years) - std::chrono::months(span.months);
  const auto into_month = sys_seconds(seconds(local)) - sys_days(month_of(local) / 1);
  const sys_seconds then =
      sys_days(month / 1) + into_month - days(span.days) - std::chrono::hours(span.hours);
  return then.time_since_epoch().count();
}

bool says_nothing(const KeepRules& rules) {
  KeepRules other = rules;
  other.max_total_bytes = 0;
  return other == KeepRules();
}

}  // namespace

void RetentionOverview::add(const RetentionCandidate& candidate) {
  if (!candidate.not_good.empty()) return;
  if (oldest_good_id == 0) newest_good_at = candidate.created_at;
  oldest_good_id = candidate.backup_id;
  if (candidate.pinned) pinned_bytes += candidate.size_bytes;
}

Retention::Retention(const KeepRules& rules, UtcOffset offset, RetentionOverview overview)
    : rules_(rules),
      offset_(std::move(offset)),
      overview_(std::move(overview)),
      last_left_(rules.last),
      kept_bytes_(overview_.pinned_bytes) {
  buckets_ = {{"hourly", rules.hourly, hour_number},
              {"daily", rules.daily, day_number},
              {"weekly", rules.weekly, week_number},
              {"monthly", rules.monthly, month_number},
              {"yearly", rules.yearly, year_number}};
  const int64_t newest = overview_.newest_good_at;
  within_from_ = before(newest + offset_(newest), rules.within);
}

RetentionDecision Retention::decide(const RetentionCandidate& candidate) {
  if (!candidate.not_good.empty()) return {.keep = true, .reasons = {candidate.not_good}};
  RetentionDecision decision{.keep = true, .reasons = kept_by_rules(candidate)};
  const std::vector<std::string> anyway = kept_anyway(candidate);
  if (!candidate.pinned && !decision.reasons.empty() && rules_.max_total_bytes > 0) {
    full_ = full_ || kept_bytes_ + candidate.size_bytes > rules_.max_total_bytes;
    if (full_) decision.reasons.clear();
  }
  const bool crowded_out = full_ && decision.reasons.empty();
  decision.reasons.insert(decision.reasons.end(), anyway.begin(), anyway.end());
  if (decision.reasons.empty())
    return {.keep = false,
            .reasons = {crowded_out ? "max_total_bytes is used up by newer ones and pinned ones"
                                    : "no rule keeps it"}};
  if (!candidate.pinned) kept_bytes_ += candidate.size_bytes;
  return decision;
}

std::vector<std::string> Retention::kept_anyway(const RetentionCandidate& candidate) const {
  std::vector<std::string> reasons;
  if (candidate.pinned) reasons.emplace_back("pinned");
  if (std::ranges::find(overview_.last_good_ids, candidate.backup_id) !=
      overview_.last_good_ids.end())
    reasons.emplace_back("last good one");
  return reasons;
}

// As restic's `forget` does since its version 0.16: while a rule has places left, the oldest backup
// of all has one.
std::vector<std::string> Retention::kept_by_rules(const RetentionCandidate& candidate) {
  if (says_nothing(rules_)) return {"no rule says that any goes"};
  std::vector<std::string> reasons;
  if (last_left_ != 0) {
    reasons.emplace_back("last");
    if (last_left_ > 0) last_left_--;
  }
  const int64_t local = candidate.created_at + offset_(candidate.created_at);
  if (rules_.within != CalendarSpan() && local > within_from_)
    reasons.push_back("within " + to_text(rules_.within));
  for (Bucket& bucket : buckets_) {
    if (bucket.left == 0) continue;
    const int64_t number = bucket.number(local);
    const bool is_new = bucket.last != number;
    if (!is_new && candidate.backup_id != overview_.oldest_good_id) continue;
    reasons.push_back((is_new ? "" : "oldest ") + bucket.name);
    bucket.last = number;
    if (bucket.left > 0) bucket.left--;
  }
  return reasons;
}

}  // namespace manman
