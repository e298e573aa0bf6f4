#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <thread>

#include "base/sync.h"

namespace manman::api {

// Calls work on a thread of its own: at once, then every interval, and sooner after wake(). An
// exception of work is logged and ends only that call.
class Ticker {
 public:
  Ticker(std::string name, std::chrono::milliseconds interval, std::function<void()> work);
  ~Ticker();  // stop()

  void start();
  // Returns when work at hand has ended. Not from work itself.
  void stop();
  void wake();

 private:
  struct State {
    bool woken = false;
    bool stopping = false;
  };

  void run();
  void work_once();

  const std::string name_;
  const std::chrono::milliseconds interval_;
  const std::function<void()> work_;
  Sync<State> state_;
  std::thread thread_;
};

}  // namespace manman::api
