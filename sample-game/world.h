#pragma once

#include <filesystem>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "sample-game/level.h"
#include "sample-game/region.h"

namespace sample_game {

struct WorldSize {
  int regions = 4;
  int region_kib = 1024;
};

// A world in a folder, and what of it is not yet written. One thread.
class World {
 public:
  // Makes and saves a new world.
  static manman::Result<World> create(const std::filesystem::path& dir, const WorldSize& size);
  // Reads a world and checks every byte of it; kDataLoss when it is not one moment's whole state.
  static manman::Result<World> load(const std::filesystem::path& dir);

  uint32_t tick() const { return level_.tick; }
  int chunks() const;
  size_t regions() const { return regions_.size(); }
  static const std::vector<std::string>& players();

  // Time passes: some chunks and a player change, in memory.
  void advance();
  // Writes what has changed: regions, players, level.dat. After an error what was not written is
  // still to be written.
  manman::Result<void> save();

 private:
  explicit World(std::filesystem::path dir) : dir_(std::move(dir)) {}
  manman::Result<void> load_regions();
  manman::Result<void> load_players();
  manman::Result<void> check_nothing_else() const;

  std::filesystem::path dir_;
  Level level_;
  std::vector<Region> regions_;
  std::map<std::string, uint32_t> changed_players_;
  std::mt19937_64 random_{std::random_device{}()};
};

}  // namespace sample_game
