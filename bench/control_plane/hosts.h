#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"

namespace manman::bench {

using Time = std::chrono::steady_clock::time_point;

// A server with an SGC whose session runs.
struct Host {
  int64_t server_id = 0;
  int64_t sgc_id = 0;
  int64_t session_id = 0;
};

// The bus side of many host managers: each host has its queue and its consumer, sends health
// messages at the real interval, and answers a backup command with the reports that a real one
// sends: running, progress once a second, completed. A command that comes twice does its work once.
// What is not real: many hosts share a connection, and nothing is written to a journal.
class Hosts {
 public:
  struct Events {
    // A command has reached its host's queue and was taken from it; only the first time.
    std::function<void(int64_t backup_id, Time at)> arrived;
    // The bus has confirmed the report that the backup is completed.
    std::function<void(int64_t sgc_id)> completed;
  };
  struct Counts {
    std::atomic<int64_t> commands{0};
    std::atomic<int64_t> repeated{0};  // commands that came once more
    std::atomic<int64_t> reports{0};
    std::atomic<int64_t> heartbeats{0};
    std::atomic<int64_t> refused{0};  // messages that the bus did not take
  };

  // Declares all queues and connects. Events come on threads of this, from now on.
  static Result<std::unique_ptr<Hosts>> start(const std::string& bus_url,
                                              const std::vector<Host>& hosts,
                                              std::chrono::milliseconds backup_takes,
                                              Events events);
  virtual ~Hosts() = default;

  virtual const Counts& counts() const = 0;
};

}  // namespace manman::bench
