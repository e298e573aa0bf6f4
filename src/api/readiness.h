#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <string>

#include "api/context.h"
#include "api/jobs/ticker.h"
#include "base/sync.h"

namespace manman::api {

// Asks the parts that the API stands on, again and again, so that a question about readiness never
// waits for one of them. Ready means that calls can be answered and lead to something: the database
// answers, and the bus takes messages. The store is shown too, but a store that is away makes
// nothing worse by itself. Thread-safe.
class Readiness {
 public:
  // on_change is called with the new state each time that it changes, from a thread of this.
  explicit Readiness(std::function<void(bool ready)> on_change);

  // Asks database and bus once before it returns. Before that nothing is ready, and the report says
  // why as away() was told. The context must outlive it.
  void start(const Context& context);
  void away(const std::string& part, const Error& why);
  void stop();

  struct Report {
    bool ready = false;
    std::string json;  // {"ready":true,"parts":{"database":{"ok":true},…}}
  };
  Report report();

 private:
  struct Part {
    bool ok = false;
    std::string error = "not asked yet";
    std::chrono::steady_clock::time_point asked;
  };
  struct State {
    bool ready = false;
    std::map<std::string, Part> parts;
  };

  void ask_database();
  void ask_bus();
  void ask_store();
  void note(const std::string& part, const Result<void>& answer);

  const Context* context_ = nullptr;
  const std::function<void(bool)> on_change_;
  Sync<State> state_;
  Ticker database_;
  Ticker bus_;
  Ticker store_;
};

}  // namespace manman::api
