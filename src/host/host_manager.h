#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "bus/bus.h"
#include "game/runtime/runtime.h"
#include "store/store.h"

namespace manman::host {

struct HostConfig {
  int64_t server_id = 0;
  std::filesystem::path data_dir;  // holds gsc-{env}-{sgc_id}/ and journal/
  int threads = 0;                 // for archives; 0: one per core
  bool backups_give_way = true;    // to the games: archive::PackOptions.background
  // Of all backups together, in bytes a second; 0: no limit.
  uint64_t backup_bandwidth = 0;
  uint64_t backup_read_rate = 0;
  std::chrono::milliseconds report_interval{1000};  // progress and lease renewal
  std::chrono::milliseconds heartbeat_interval{5000};
  std::chrono::hours keep_replaced{24};  // how long replaced-{session_id}/ stays after the restore
  std::chrono::milliseconds orphan_grace{600000};  // see Runtime::reap_orphans
  // What is kept of sessions that have ended, of each SGC: so many, and none for longer.
  int keep_sessions = 10;
  std::chrono::hours keep_sessions_for{24 * 30};
  uint64_t max_output_bytes = uint64_t{64} << 20;  // of one game's output.log on disk
  int upload_attempts = 5;
  // For how long a game holds still for a backup at the most, unless its own settings say
  // otherwise; what was not read by then is read while it runs on.
  std::chrono::milliseconds max_pause{120'000};
  // Program and words of the process that resumes a quiesced game when this one has ended
  // (game/quiesce/resume_guard.h); empty: the game stays quiesced until the host is there again.
  std::vector<std::string> guard_program;
};

// Runs the game servers of one machine, archives their save data to the store and restores it, on
// commands from the bus. What it has taken on stands in its journal, so that after a crash every
// job goes on or is reported failed.
class HostManager {
 public:
  // The runtime must outlive it.
  HostManager(HostConfig config, Runtime& runtime);
  ~HostManager();  // stop()

  // What needs nothing but this machine's disk, and comes before all else: running games are
  // watched, those that were left quiesced resumed, and a journaled exchange of data is finished,
  // its game started. Reports on it wait for start().
  Result<void> adopt();
  // After adopt(): goes on with every other job of the journal, then consumes commands. Bus and
  // store must outlive it. Where the bus has gone again it is to be called once more.
  Result<void> start(Bus& bus, Store& store);
  // Takes no more commands, cancels jobs at work (they go on at the next start) and returns when
  // all threads have ended. Games run on.
  void stop();

  // Its metrics in the text format of Prometheus, version 0.0.4; "" before adopt(). Thread-safe.
  std::string metrics();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace manman::host
