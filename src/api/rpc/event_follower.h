#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "base/time.h"
#include "db/database.h"
#include "domain/event.h"

namespace manman::api {

// Reads the log of events as it grows, each event once. Ids are given before transactions commit,
// so one may come to be seen after a greater one: ids that were passed over are looked for again
// until a transaction can't be open any more. One thread.
class EventFollower {
 public:
  // Both must outlive it.
  EventFollower(db::Database& database, const Clock& clock) : database_(database), clock_(clock) {}

  // 0: after those that there are now.
  Result<void> begin_after(int64_t event_id);
  // Those that have come since; none when nothing has.
  Result<std::vector<Event>> next();

 private:
  void passed_over(int64_t from, int64_t to);

  db::Database& database_;
  const Clock& clock_;
  int64_t last_id_ = 0;
  std::map<int64_t, int64_t> missing_;  // ids, and when (ms) they are given up
};

}  // namespace manman::api
