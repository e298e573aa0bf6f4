#pragma once

#include <cstdint>
#include <deque>
#include <set>
#include <string>

#include "api/context.h"
#include "api/jobs/ticker.h"
#include "base/sync.h"
#include "domain/backup.h"

namespace manman::api {

// Deletes backups: the row is marked, the object goes, then the row. A job finishes what a crash
// or an absent store has left marked. Thread-safe; the same backup may be deleted by several
// threads and processes at once.
class Deleter {
 public:
  // The context must outlive it.
  explicit Deleter(const Context& context);

  void start() { ticker_.start(); }
  void stop() { ticker_.stop(); }

  enum class By {
    kRequest,    // somebody who named it
    kRetention,  // a rule: never the last good one of its SGC
  };
  // The row, marked for deletion; one that is marked already is returned as it is. kNotFound;
  // kFailedPrecondition while it is pending, running or being restored, when it is pinned, and when
  // its object is not in this service's bucket.
  // actor: of the event.
  Result<Backup> mark(int64_t backup_id, By by, const std::string& actor);

  // Removes the object of a marked row, then the row. When it fails the job goes on with it.
  Result<void> finish(const Backup& backup);

  // Has the job remove an object that no row needs any more, if it is owned. Forgotten when the
  // process ends; of more than 1,000 that wait the oldest are forgotten, with a line in the log.
  void remove_orphan(const OwnedObject& object);

 private:
  void run_once();
  void finish_marked();
  void remove_orphans();

  const Context& context_;
  Sync<std::deque<OwnedObject>> orphans_;
  std::set<int64_t> complained_;  // backups whose failure is in the log; the job's thread only
  Ticker ticker_;
};

}  // namespace manman::api
