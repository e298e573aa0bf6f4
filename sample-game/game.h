#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "sample-game/console.h"
#include "sample-game/world.h"

namespace sample_game {

// The server's main loop: ticks, saves and commands.
class Game {
 public:
  Game(World world, Console console, std::chrono::milliseconds tick)
      : world_(std::move(world)), console_(std::move(console)), tick_(tick) {}

  // Until it is told to end; the exit code.
  int run();

 private:
  // An exit code when the game is to end.
  std::optional<int> command(const std::string& line);
  bool save();
  int stop();
  void tell_ticks();

  World world_;
  Console console_;
  std::chrono::milliseconds tick_;
  bool saving_ = true;
  std::vector<double> tick_ms_;  // from when each was due to its end, since they were last told
};

}  // namespace sample_game
