#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <string_view>

#include "base/error.h"

// Named points between durable steps, where a test can crash, delay or fail the process. Free when
// off: one relaxed load. Switched on by the environment variable MANMAN_FAILPOINTS, a list like
//   host.journaled=crash;backup.uploaded=delay:500;restore.swapped=error:disk on fire
// `crash` is SIGKILL to the own process, `stop` SIGSTOP, `delay` takes ms, `error` takes the
// message. `@N` after the name acts only on the N-th time the point is passed:
// backup.uploaded@2=crash.
namespace manman::failpoint {

// Every failpoint there is; a name that is not here does not compile, and the fault tests go
// through this list (`manman failpoints` prints it).
inline constexpr std::array kNames = std::to_array<std::string_view>({
    // The way of a backup, in order.
    "api.create_backup.committed",  // row and command stored, call not yet answered
    "api.relay.claimed",            // hosts' lanes are this relay's, their rows read
    "api.relay.published",          // command handed over, outbox row not yet marked sent
    "host.command.received",        // host has the command, journal has not
    "host.command.journaled",       // journal has it, message not acknowledged
    "backup.running_reported",
    "backup.upload_started",  // nothing written to the upload yet
    "backup.prepared",        // what can be cloned before the game holds still is
    "backup.guarded",         // the process that resumes the game if this one dies is there
    "backup.quiesce_step",    // one step of the quiesce is confirmed, perhaps not all
    "backup.quiesced",
    "backup.snapshot_taken",    // the game not yet resumed
    "backup.resumed",           // after a snapshot: nothing read of it yet
    "backup.archived",          // all bytes in the upload, not completed
    "store.folder.synced",      // object's bytes durable, not yet renamed
    "store.folder.renamed",     // object in place, caller not told
    "backup.uploaded",          // object in place, journal does not say so
    "backup.upload_journaled",  // journal says so, not reported
    "backup.reported",          // completed reported, job still in the journal
    "api.status.applied",       // status in the row, message not acknowledged
    // Cancelling a backup, in order.
    "api.cancel_backup.committed",  // row and command stored, call not yet answered
    "backup.cancelled",             // what was begun is undone, the job still in the journal
    "backup.cancel_cleaned",        // the store was looked through, the journal does not say so
    // Deleting.
    "api.delete.marked",
    "api.delete.object_removed",
    "api.retention.marked",  // one that no rule keeps
    "api.webhook.sent",      // the receiver has answered, the row does not say so
    // The way of a restore, in order.
    "api.start_session.committed",
    "restore.staging_created",
    "restore.rest_copied",     // of some paths: what is not restored stands beside them
    "restore.extracted",       // staged, checked, synced
    "restore.swap_journaled",  // the intent to swap is in the journal
    "restore.swapped",         // exchanged, journal does not say so
    "restore.replaced_kept",   // old data under its final name
    "session.starting",        // before the game is launched
    "session.launched",        // game runs, not reported
    "session.reported",        // running reported, job still in the journal
    "session.stopped",         // game ended after a stop, not reported
    // The way of a restore drill, in order.
    "api.drill.committed",     // row and command stored, call not yet answered
    "drill.running_reported",  // no scratch folder yet
    "drill.unpacked",
    "drill.examined",
    "drill.game_started",       // on what was unpacked
    "drill.game_ready",         // it runs
    "drill.scratch_removed",    // the outcome is known to nobody else yet
    "drill.outcome_journaled",  // not reported
    "drill.reported",           // reported, job still in the journal
    // What comes round, or once.
    "api.scheduler.committed",  // a policy's run and its next time are stored
    "api.scheduler.attempted",  // a run that waited was looked at again
    "host.registered",          // the machine's server id is known, server.json not written
    "api.uploads_swept",        // old unfinished uploads ended
    "host.session_forgotten",   // the folder of an ended session is gone, others are not yet
    // Undoing a restore.
    "undo.journaled",
    "undo.swapped",
});

// A name checked against kNames while compiling.
class Name {
 public:
  consteval Name(const char* text) : text_(text) {  // NOLINT(google-explicit-constructor)
    if (std::ranges::find(kNames, text_) == kNames.end()) throw "no such failpoint";
  }
  std::string_view text() const { return text_; }

 private:
  std::string_view text_;
};

namespace detail {
extern std::atomic<bool> enabled;
Result<void> act(std::string_view name);
}  // namespace detail

// Reads MANMAN_FAILPOINTS; an unknown name or action is kInvalidArgument. Call once at start.
Result<void> configure_from_environment();
// The same from a text; "" switches all off. For tests in the same process.
Result<void> configure(std::string_view spec);

// Passes the point: returns an error where the configuration asks for one.
inline Result<void> pass(Name name) {
  if (!detail::enabled.load(std::memory_order_relaxed)) [[likely]]
    return {};
  return detail::act(name.text());
}

}  // namespace manman::failpoint
