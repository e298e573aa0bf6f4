#pragma once

#include <cstdint>
#include <map>

#include "api/context.h"
#include "api/jobs/ticker.h"
#include "base/sync.h"

namespace manman::api {

// Notes which servers have given a sign of life, and writes that to the database for all of them
// at once, each job_interval: thousands of hosts send one every few seconds. What a crash takes is
// made good by the next sign of the same server. Thread-safe.
class Heartbeats {
 public:
  // The context must outlive it.
  explicit Heartbeats(const Context& context);

  void start() { ticker_.start(); }
  // Writes what was noted.
  void stop();
  void note(int64_t server_id);

 private:
  using Noted = std::map<int64_t, int64_t>;  // by server: when, Unix seconds

  void write();
  Result<int> write(const Noted& noted);

  const Context& context_;
  Sync<Noted> noted_;
  Ticker ticker_;
};

}  // namespace manman::api
