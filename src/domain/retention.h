#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "domain/keep_rules.h"

namespace manman {

// Seconds to add to a Unix time to have what clocks on walls show.
using UtcOffset = std::function<int64_t(int64_t unix_seconds)>;

// A backup of a policy, as far as keeping it goes.
struct RetentionCandidate {
  int64_t backup_id = 0;
  int64_t created_at = 0;  // Unix seconds
  int64_t size_bytes = 0;
  bool pinned = false;
  // Why it can't be counted on to restore: it failed, or is not verified yet. It fills no place
  // that rules keep, so that nothing goes on its account; and it doesn't go itself.
  std::string not_good;
};

// What is known of all candidates before the first is decided on.
struct RetentionOverview {
  int64_t newest_good_at = 0;  // created_at
  int64_t oldest_good_id = 0;  // 0: there is none
  int64_t pinned_bytes = 0;    // of good ones
  // The newest good backups of the SGC, whatever made them; they never go.
  std::vector<int64_t> last_good_ids;

  // Tells it of a candidate of the policy, of all of them from the newest to the oldest.
  void add(const RetentionCandidate& candidate);
};

struct RetentionDecision {
  bool keep = true;
  // What keeps it, all that does ("daily", "pinned"), or why it goes.
  std::vector<std::string> reasons;
};

// Decides which backups of a policy stay, one after the other, in memory that does not grow.
class Retention {
 public:
  Retention(const KeepRules& rules, UtcOffset offset, RetentionOverview overview);

  // Of the candidates from the newest to the oldest, by created_at, then backup_id.
  RetentionDecision decide(const RetentionCandidate& candidate);

 private:
  // The candidates in one hour, day, …: the newest of each is kept until `left` is used up.
  struct Bucket {
    std::string name;
    int left;                                    // KeepRules::kAll: without end
    int64_t (*number)(int64_t local_seconds);    // the same for all of one hour, day, …
    std::optional<int64_t> last = std::nullopt;  // the one that was met last
  };

  std::vector<std::string> kept_by_rules(const RetentionCandidate& candidate);
  std::vector<std::string> kept_anyway(const RetentionCandidate& candidate) const;

  const KeepRules rules_;
  const UtcOffset offset_;
  const RetentionOverview overview_;
  int last_left_;
  std::vector<Bucket> buckets_;
  int64_t within_from_ = 0;  // local seconds
  int64_t kept_bytes_;
  bool full_ = false;
};

}  // namespace manman
