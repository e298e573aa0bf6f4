#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <thread>

#include "base/sync.h"
#include "bus/bus.h"

namespace manman::host {

// Carries the host's reports to the bus, in order, from a thread of its own, so that no job waits
// for a bus that is away. Thread-safe.
class Reporter {
 public:
  ~Reporter() { stop(); }

  // From now on reports go out; those that were given before wait for it. The bus must outlive it.
  void start(Bus& bus);
  // Returns once a publish that is under way has ended. What was not delivered is dropped: what
  // matters of it stands in the journal.
  void stop();

  // A passing state (progress, a lease renewed): replaces one of the same key that still waits,
  // and is dropped when the bus does not take it.
  void offer(Message message);
  // How many wait.
  size_t waiting() { return state_.lock()->queue.size(); }
  // Repeated until the bus has it; then on_delivered is called on the reporter's thread.
  void deliver(Message message, std::function<void()> on_delivered);

 private:
  struct Item {
    Message message;
    bool passing = false;
    std::function<void()> on_delivered;
  };
  struct State {
    std::deque<Item> queue;
    bool stopping = false;
  };

  void run();
  bool send(Item& item, int failures);
  bool pause(std::chrono::milliseconds duration);

  Bus* bus_ = nullptr;
  Sync<State> state_;
  std::jthread thread_;
};

}  // namespace manman::host
