#pragma once

#include <atomic>
#include <cstdint>

namespace manman::api {

// What the jobs and the status consumer have done since the start. Any thread writes and reads.
struct Counters {
  std::atomic<uint64_t> status_applied{0};      // messages that changed a row
  std::atomic<uint64_t> status_ignored{0};      // late, repeated, or of another attempt
  std::atomic<uint64_t> status_unknown_row{0};  // about a row that is gone
  std::atomic<uint64_t> status_rejected{0};     // to the dead-letter queue
  std::atomic<uint64_t> commands_published{0};
  std::atomic<uint64_t> commands_failed{0};   // publishes that failed and are tried again
  std::atomic<uint64_t> commands_dropped{0};  // nobody waited for them any more
  std::atomic<uint64_t> backups_retried{0};
  std::atomic<uint64_t> backups_lost{0};
  std::atomic<uint64_t> sessions_lost{0};
  std::atomic<uint64_t> backups_deleted{0};
  std::atomic<uint64_t> backups_verified{0};  // found good
  std::atomic<uint64_t> backups_damaged{0};
  std::atomic<uint64_t> drills_passed{0};
  std::atomic<uint64_t> drills_failed{0};    // by what is in the backup
  std::atomic<uint64_t> drills_given_up{0};  // could not be done
  std::atomic<uint64_t> orphans_removed{0};  // objects without a row
  std::atomic<uint64_t> webhooks_delivered{0};
  std::atomic<uint64_t> webhooks_failed{0};  // attempts
  std::atomic<uint64_t> webhooks_given_up{0};
};

}  // namespace manman::api
