#pragma once

#include "api/context.h"
#include "api/jobs/ticker.h"
#include "db/repositories.h"

namespace manman::api {

// Sees to it that nothing waits forever for a silent host: backups whose lease has ended are
// ordered again or given up, starts and stops are given up, silent servers are shown as offline.
class Reaper {
 public:
  // The context must outlive it.
  explicit Reaper(const Context& context);

  // From now on hosts have one lease of time to report before anything is reaped: while this
  // service was away they could not.
  void start();
  void stop() { ticker_.stop(); }

 private:
  void run_once();
  Result<void> reap_backups();
  Result<void> reap_sessions();
  Result<void> mark_offline();

  const Context& context_;
  int64_t started_ms_ = 0;
  Ticker ticker_;
};

}  // namespace manman::api
