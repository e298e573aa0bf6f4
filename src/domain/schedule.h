#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/error.h"
#include "domain/cron.h"
#include "domain/time_zone.h"

namespace manman {

// When the backups of a policy are due: every so many minutes or by a cron expression, at events,
// or both.
struct Schedule {
  int every_minutes = 0;   // 0: not so; counted from the policy's creation on
  std::string cron;        // "": not so
  std::string zone;        // of cron; "": UTC
  int jitter_seconds = 0;  // each time is late by 0 to so much, less than a period
  bool at_session_end = false;
  bool before_restore = false;

  bool operator==(const Schedule&) const = default;
};

// The due times of one policy, a pure function of its schedule, id and creation, so that all
// processes agree on them and a restart moves none. Times are Unix seconds. Thread-safe.
class DueTimes {
 public:
  // kInvalidArgument beginning with the field: "cron: hour \"24\": must be 0 to 23".
  static Result<DueTimes> of(const Schedule& schedule, int64_t policy_id, int64_t created_at);

  // Nothing when only events make it due.
  std::optional<int64_t> next_after(int64_t after_s) const;

  // What has come due when `due_s` is the earliest time that nobody has dealt with.
  struct Passed {
    int64_t latest = 0;           // the last one at or before now
    int64_t missed = 0;           // those from due_s on before it; no more are counted than
    std::optional<int64_t> next;  // kMaxMissed
  };
  static constexpr int64_t kMaxMissed = 10'000;
  // due_s <= now_s. Takes bounded time, however long ago due_s is. A due_s that is not one of these
  // times (the schedule was changed meanwhile) counts as one.
  Passed passed(int64_t due_s, int64_t now_s) const;

  const TimeZone& zone() const { return zone_; }

 private:
  DueTimes(int64_t policy_id, TimeZone zone) : policy_id_(policy_id), zone_(zone) {}
  int64_t next_base(int64_t after_s) const;
  int64_t jitter_of(int64_t base_s) const;

  int64_t policy_id_;
  TimeZone zone_;
  int64_t anchor_s_ = 0;
  int64_t every_s_ = 0;  // 0: by cron_
  std::optional<CronExpression> cron_;
  int64_t jitter_s_ = 0;
};

}  // namespace manman
