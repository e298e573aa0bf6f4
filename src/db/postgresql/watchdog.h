#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <thread>

#include "base/sync.h"

namespace manman::db {

// Ends waits for a server that does not answer: libpq waits for ever, and the kernel of a machine
// whose server is stopped goes on confirming what it is sent. Thread-safe.
class Watchdog {
 public:
  Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;
  ~Watchdog();

  class Guard {
   public:
    Guard(Watchdog& dog, uint64_t id) : dog_(dog), id_(id) {}
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;
    ~Guard() { dog_.forget(id_); }

   private:
    Watchdog& dog_;
    uint64_t id_;
  };
  // Shuts the socket down, and sets `bitten`, when the guard still stands after `patience`. Both
  // must outlive the guard.
  [[nodiscard]] Guard watch(int socket, std::chrono::milliseconds patience, bool& bitten);

 private:
  using Time = std::chrono::steady_clock::time_point;
  struct Watched {
    Time deadline;
    int socket = -1;
    bool* bitten = nullptr;
  };
  struct State {
    std::map<uint64_t, Watched> watched;
    uint64_t next_id = 0;
    Time next_look = Time::max();
    bool stopping = false;
  };

  void forget(uint64_t id);
  void run();
  static void bite_late_ones(State& state);

  Sync<State> state_;
  std::thread thread_;
};

}  // namespace manman::db
