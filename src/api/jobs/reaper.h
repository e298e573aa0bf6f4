#pragma once

#include <chrono>
#include <functional>

#include "api/context.h"
#include "api/jobs/ticker.h"
#include "db/repositories.h"

namespace manman::api {

// Sees to it that nothing waits forever for a silent host: backups whose lease has ended are
// ordered again or given up, starts and stops are given up, silent servers are shown as offline.
class Reaper {
 public:
  // `hears` says whether reports of hosts arrive. What it needs, and the context, must outlive
  // this.
  Reaper(const Context& context, std::function<bool()> hears);

  // Hosts have one lease of time to report before anything is reaped, from now on, and again each
  // time that this service could not hear them, not reach the database, or stood still itself.
  void start();
  void stop() { ticker_.stop(); }

 private:
  void run_once();
  Result<void> reap_backups();
  Result<void> reap_sessions();
  Result<void> reap_drills();
  Result<void> mark_offline();

  const Context& context_;
  const std::function<bool()> hears_;
  int64_t heard_since_ms_ = 0;
  std::chrono::steady_clock::time_point last_run_;
  Ticker ticker_;
};

}  // namespace manman::api
