#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace date {
class time_zone;
}

namespace manman {

// A time zone of the machine's tz database ("Europe/Berlin"; Debian's package tzdata), read once in
// the life of a process. Its rules are known until 2037; later years have the offset of its end. A
// value; any number of threads may use it.
//
// Local time is counted in seconds as Unix time is, as if the zone were UTC.
class TimeZone {
 public:
  // "" is UTC. A name that the database does not have is kInvalidArgument.
  static Result<TimeZone> find(std::string_view name);

  // A span of time in which local time runs evenly: local = unix + offset for begin <= unix < end.
  struct Span {
    int64_t begin_s = 0;
    int64_t end_s = 0;
    int64_t offset_s = 0;
    std::string abbreviation;  // "CEST"
  };
  Span span_at(int64_t unix_s) const;

  // The first instant at which local time has reached local_s: for a local time that does not
  // exist, the first after the gap; for one that exists twice, the first of the two.
  int64_t first_instant(int64_t local_s) const;

  // The latest local time that there has been until unix_s. It is later than that of unix_s itself
  // while an hour is lived through for the second time.
  int64_t latest_local(int64_t unix_s) const;

  // "2026-03-29 04:30:00 CEST (+02:00)"
  std::string show(int64_t unix_s) const;

 private:
  explicit TimeZone(const date::time_zone* zone) : zone_(zone) {}

  const date::time_zone* zone_;  // lives as long as the process
};

}  // namespace manman
