#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "game/runtime/runtime.h"

namespace manman {

struct ConsoleStep {
  std::string input;          // a newline is added
  std::string confirm_regex;  // RE2, searched in each new line of output; "" waits for nothing
  std::chrono::milliseconds timeout{30000};
};

struct QuiescePlan {
  std::vector<ConsoleStep> quiesce;
  std::vector<std::string> resume;  // inputs that undo it
};

// A game that has flushed and stopped writing its save data. Resumes it when destroyed, unless
// resume() has done so already.
class Quiesced {
 public:
  Quiesced() = default;  // nothing to resume
  Quiesced(Runtime& runtime, GameInstance game, std::vector<std::string> resume);
  Quiesced(Quiesced&& other) noexcept;
  Quiesced& operator=(Quiesced&&) = delete;
  ~Quiesced();

  Result<void> resume();

 private:
  Runtime* runtime_ = nullptr;
  GameInstance game_;
  std::vector<std::string> resume_;
};

// Sends each step and waits for its confirmation. When one does not come (kDeadlineExceeded, with
// the step named) or the input can't be sent, the game is resumed and the error returned. stop
// is asked often; true ends the wait with kCancelled, the game resumed. A bad expression is
// kInvalidArgument before anything is sent.
Result<Quiesced> quiesce(Runtime& runtime, const GameInstance& game, const QuiescePlan& plan,
                         const std::function<bool()>& stop);

// Sends the resume inputs; for a game that a crash left quiesced. A game that does not run is
// success.
Result<void> resume_game(Runtime& runtime, const GameInstance& game,
                         const std::vector<std::string>& resume);

// For validation where a config is made: kInvalidArgument with RE2's own words.
Result<void> check_regex(const std::string& expression);

}  // namespace manman
