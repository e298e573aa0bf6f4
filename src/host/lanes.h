#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/sync.h"

namespace manman::host {

// Runs jobs: those of one lane (an SGC) one at a time and in order, those of different lanes at
// the same time, on at most max_threads threads, which are made as they are needed. Thread-safe.
class Lanes {
 public:
  using Job = std::function<void()>;  // must not throw

  explicit Lanes(int max_threads) : max_threads_(max_threads) {}
  ~Lanes() { stop(); }

  void post(int64_t lane, Job job);
  // Returns when the jobs at work have ended; those still queued are dropped.
  void stop();

 private:
  struct State {
    std::map<int64_t, std::deque<Job>> lanes;  // the front one of a lane is at work or ready
    std::deque<int64_t> ready;                 // lanes whose front job waits for a thread
    std::vector<std::jthread> threads;
    int idle = 0;
    bool stopping = false;
  };

  struct Next {
    int64_t lane = 0;
    Job job;
  };

  void run();
  std::optional<Next> take();
  void leave(int64_t lane);
  void add_thread(State& state);

  const int max_threads_;
  Sync<State> state_;
};

// Lets a bounded number of jobs at a time do what is heavy on memory and disk.
class Gate {
 public:
  explicit Gate(int places) : free_(places) {}

  // A place inside; given back when destroyed.
  class Place {
   public:
    explicit Place(Gate& gate) : gate_(&gate) {}
    Place(Place&& other) noexcept : gate_(std::exchange(other.gate_, nullptr)) {}
    Place& operator=(Place&&) = delete;
    ~Place();

   private:
    Gate* gate_;
  };

  // Waits for a place; kCancelled once `cancelled` says so, which is asked often.
  Result<Place> enter(const std::function<bool()>& cancelled);

 private:
  Sync<int> free_;
};

}  // namespace manman::host
