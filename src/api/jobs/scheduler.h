#pragma once

#include <set>

#include "api/context.h"
#include "api/jobs/ticker.h"

namespace manman::api {

// Makes the backups that policies are due for. Any number of processes may run one on the same
// database: each occasion has one row, written in the transaction that orders its backup and moves
// the policy on to its next time.
class Scheduler {
 public:
  explicit Scheduler(const Context& context);  // which must outlive it

  void start() { ticker_.start(); }
  void stop() { ticker_.stop(); }

  // Looks once: at policies whose time has come, and at runs that wait. What can't be done now is
  // tried at the next look.
  void run_once();

 private:
  Result<void> take_all_due();
  Result<void> attempt_waiting();
  void complain(int64_t policy_id, const Error& error);

  const Context& context_;
  std::set<int64_t> complained_;  // of policies whose failure is in the log already
  Ticker ticker_;
};

}  // namespace manman::api
