#pragma once

#include <thread>

#include "base/sync.h"
#include "host/context.h"

namespace manman::host {

// Does what comes round: renews the leases of all jobs (with their progress), says that the host
// is alive, and lets the janitor look for what has had its time.
class Ticker {
 public:
  explicit Ticker(Context& context) : context_(context) {}
  ~Ticker() { stop(); }

  void start();
  void stop();

 private:
  void run();
  void renew_leases();
  void report_health();
  bool pause(std::chrono::milliseconds duration);

  Context& context_;
  Sync<bool> stopping_;
  std::jthread thread_;
};

}  // namespace manman::host
