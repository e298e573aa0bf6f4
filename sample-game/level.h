#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "base/error.h"

namespace sample_game {

// What level.dat says of another file of the world.
struct Recorded {
  uint32_t counter = 0;  // the tick of its latest change
  uint32_t checksum = 0;
  bool operator==(const Recorded&) const = default;
};

// level.dat: written last in every save, so that all else must agree with it.
struct Level {
  uint32_t tick = 0;
  int sectors = 2;                        // that a chunk may take
  std::map<std::string, Recorded> files;  // by path in the world: "region/r.0.0.mca"
};

manman::Result<Level> read_level(const std::filesystem::path& file);
// Beside it, then renamed.
manman::Result<void> write_level(const std::filesystem::path& file, const Level& level);

// players/NAME.dat
manman::Result<Recorded> read_player(const std::filesystem::path& file, const std::string& name);
manman::Result<Recorded> write_player(const std::filesystem::path& file, const std::string& name,
                                      uint32_t tick);

}  // namespace sample_game
