#pragma once

#include "api/context.h"
#include "api/jobs/ticker.h"
#include "domain/policy.h"

namespace manman::api {

// Orders the restore drills that policies say are due, of the newest backup of each. A drill that
// was given up is tried again after an hour. Any number of processes may run one on the same
// database: the policy's row is held while it is looked at whether another was faster.
class DrillJob {
 public:
  explicit DrillJob(const Context& context);  // which must outlive this

  void start() { ticker_.start(); }
  void stop() { ticker_.stop(); }

  void run_once();

 private:
  Result<void> order(int64_t policy_id);

  const Context& context_;
  Ticker ticker_;
};

}  // namespace manman::api
