#pragma once

#include <chrono>
#include <filesystem>

#include "base/error.h"
#include "sample-game/world.h"

namespace sample_game {

struct Options {
  WorldSize size;
  std::chrono::milliseconds tick{50};
  std::filesystem::path world = "world";
  std::filesystem::path check;  // not empty: only check this world
  bool help = false;
};

extern const char* const kUsage;

// kInvalidArgument naming the option.
manman::Result<Options> parse_options(int argc, char** argv);

}  // namespace sample_game
