#pragma once

#include <algorithm>
#include <array>
#include <ctime>
#include <set>
#include <string>
#include <vector>

#include "domain/retention.h"

namespace manman {

inline void sort_newest_first(std::vector<RetentionCandidate>& candidates) {
  std::ranges::sort(candidates, std::ranges::greater(), [](const RetentionCandidate& candidate) {
    return std::pair(candidate.created_at, candidate.backup_id);
  });
}

// What the rules mean, said in another way and with all candidates at hand.
inline std::set<int64_t> retention_model(
    const KeepRules& rules, std::vector<RetentionCandidate> all, const std::set<int64_t>& last_good,
    const UtcOffset& offset = [](int64_t) { return 0; }) {
  sort_newest_first(all);
  std::set<int64_t> keep;
  std::vector<RetentionCandidate> good;
  for (const auto& candidate : all) {
    if (!candidate.not_good.empty())
      keep.insert(candidate.backup_id);
    else
      good.push_back(candidate);
  }
  if (good.empty()) return keep;
  std::set<int64_t> ruled;
  const bool silent = rules.last == 0 && rules.hourly == 0 && rules.daily == 0 &&
                      rules.weekly == 0 && rules.monthly == 0 && rules.yearly == 0 &&
                      rules.within == CalendarSpan();
  const auto stamp = [&](int64_t time, const char* format) {
    const time_t seconds = time + offset(time);
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    std::array<char, 32> text{};
    std::strftime(text.data(), text.size(), format, &parts);
    return std::string(text.data());
  };
  const std::vector<std::pair<int, const char*>> groups{{rules.hourly, "%Y%j%H"},
                                                        {rules.daily, "%Y%j"},
                                                        {rules.weekly, "%G%V"},
                                                        {rules.monthly, "%Y%m"},
                                                        {rules.yearly, "%Y"}};
  for (size_t i = 0; i < good.size(); i++)
    if (silent || rules.last < 0 || i < static_cast<size_t>(rules.last))
      ruled.insert(good[i].backup_id);
  for (const auto& [count, format] : groups) {
    std::vector<std::string> seen;
    for (const auto& candidate : good) {
      const std::string name = stamp(candidate.created_at, format);
      if (std::ranges::find(seen, name) != seen.end()) continue;
      if (count >= 0 && seen.size() >= static_cast<size_t>(count)) break;
      seen.push_back(name);
      ruled.insert(candidate.backup_id);
    }
    if (count != 0 && (count < 0 || seen.size() < static_cast<size_t>(count)))
      ruled.insert(good.back().backup_id);
  }
  if (rules.within != CalendarSpan()) {
    const time_t newest = good.front().created_at + offset(good.front().created_at);
    std::tm parts{};
    ::gmtime_r(&newest, &parts);
    parts.tm_year -= rules.within.years;
    parts.tm_mon -= rules.within.months;
    parts.tm_mday -= rules.within.days;
    parts.tm_hour -= rules.within.hours;
    const time_t from = ::timegm(&parts);
    for (const auto& candidate : good)
      if (candidate.created_at + offset(candidate.created_at) > from)
        ruled.insert(candidate.backup_id);
  }
  int64_t bytes = 0;
  for (const auto& candidate : good)
    if (candidate.pinned) bytes += candidate.size_bytes;
  bool full = false;
  for (const auto& candidate : good) {
    const bool anyway = candidate.pinned || last_good.contains(candidate.backup_id);
    bool by_rule = ruled.contains(candidate.backup_id);
    if (by_rule && !candidate.pinned && rules.max_total_bytes > 0) {
      full = full || bytes + candidate.size_bytes > rules.max_total_bytes;
      by_rule = !full;
    }
    if (!anyway && !by_rule) continue;
    keep.insert(candidate.backup_id);
    if (!candidate.pinned) bytes += candidate.size_bytes;
  }
  return keep;
}

}  // namespace manman
