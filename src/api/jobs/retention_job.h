#pragma once

#include "api/context.h"
#include "api/jobs/deleter.h"
#include "api/jobs/ticker.h"
#include "domain/policy.h"

namespace manman::api {

// Has backups go that no rule of their policy keeps, after each change that may let one go: a
// backup that is completed, a policy that is changed, a pin that is taken off. Any number of
// processes may do so at once.
class RetentionJob {
 public:
  // Both must outlive it.
  RetentionJob(const Context& context, Deleter& deleter);

  void start() { ticker_.start(); }
  void stop() { ticker_.stop(); }
  // One round of it, on the caller's thread.
  void run_once();

 private:
  // False: one that has to go can't yet.
  Result<bool> look_through(int64_t sgc_id);
  Result<bool> apply(const BackupPolicy& policy);
  Result<void> let_go(const Backup& backup);

  const Context& context_;
  Deleter& deleter_;
  Ticker ticker_;
};

}  // namespace manman::api
