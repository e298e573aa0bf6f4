#pragma once

#include <atomic>
#include <memory>

#include "base/rate_limiter.h"
#include "host/gsc.h"
#include "host/host_manager.h"
#include "host/jobs.h"
#include "host/journal.h"
#include "host/lanes.h"
#include "host/metrics.h"
#include "host/reporter.h"
#include "host/sessions.h"

namespace manman::host {

// What the flows of one host manager share.
struct Context {
  Context(HostConfig host_config, Runtime& game_runtime, std::unique_ptr<Journal> opened_journal,
          Sessions::OnEnd on_end);

  GscDir gsc(const std::string& environment, int64_t sgc_id) const {
    return gsc_dir(config.data_dir, environment, sgc_id);
  }

  const HostConfig config;
  Store* store = nullptr;  // there before any job that needs it
  Runtime& runtime;
  const std::unique_ptr<Journal> journal;
  Metrics metrics;
  Reporter reporter;
  Jobs jobs;
  Gate archives;  // backups and restores at work at the same time
  RateLimiter backup_bandwidth;
  RateLimiter backup_read_rate;
  Sessions sessions;
  Lanes lanes;
  std::atomic<bool> reaping{false};   // orphans, in a lane of its own
  bool output_can_be_limited = true;  // the ticker's alone: until the file system says no
  std::atomic<bool> stopping{
      false};  // jobs that end now end unfinished and go on at the next start
};

}  // namespace manman::host
