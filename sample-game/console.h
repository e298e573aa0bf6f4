#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "base/file.h"

namespace sample_game {

// A line of output as Minecraft's server writes them, flushed.
void say(const std::string& text);

// Standard input by lines, and the signals that mean "stop". One thread; before any other is made.
class Console {
 public:
  // Takes SIGTERM and SIGINT over.
  static manman::Result<Console> open();

  // The next line; "stop" for a signal; nothing when none has come by then. The end of the input
  // means that no line will come any more, not that the game shall end.
  std::optional<std::string> next(std::chrono::steady_clock::time_point until);

 private:
  explicit Console(manman::UniqueFd signals) : signals_(std::move(signals)) {}
  std::optional<std::string> take_line();

  manman::UniqueFd signals_;
  std::string begun_;
  bool input_open_ = true;
};

}  // namespace sample_game
