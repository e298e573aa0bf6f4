#include "sample-game/world.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <set>

#include "base/file.h"
#include "sample-game/chunk.h"

namespace sample_game {
namespace {

namespace fs = std::filesystem;
using manman::Code;
using manman::fail;
using manman::Result;

constexpr int kChangesPerTick = 3;

std::string region_path(int x, int z) {
  return "region/" + Region::file_name(x, z);
}
std::string player_path(const std::string& name) {
  return "players/" + name + ".dat";
}

Result<void> compare(const std::string& name, const Recorded& recorded, const Recorded& found) {
  if (recorded.counter != found.counter)
    return fail(Code::kDataLoss, "torn: " + name + " is of tick " + std::to_string(found.counter) +
                                     ", level.dat has it at tick " +
                                     std::to_string(recorded.counter));
  if (recorded.checksum != found.checksum)
    return fail(Code::kDataLoss, "torn: " + name + " is not what level.dat has a checksum of");
  return {};
}

// The two numbers in "region/r.X.Z.mca".
bool parse_region_path(const std::string& path, int& x, int& z) {
  return std::sscanf(path.c_str(), "region/r.%d.%d.mca", &x, &z) == 2 && path == region_path(x, z);
}

}  // namespace

const std::vector<std::string>& World::players() {
  static const std::vector<std::string> names = {"alice", "bob", "carol"};
  return names;
}

Result<World> World::create(const fs::path& dir, const WorldSize& size) {
  TRY(manman::make_dirs(dir / "region"));
  TRY(manman::make_dirs(dir / "players"));
  World world(dir);
  const int total_sectors = std::max(size.region_kib * 1024 / static_cast<int>(kSectorBytes), 1);
  // Chunks of 8 KiB, as a real world's often are, until there are as many as a region can have.
  const int chunks = std::clamp(total_sectors / 2, 1, kChunksPerRegion);
  world.level_.sectors = std::clamp(total_sectors / chunks, 1, kMaxSectors);
  world.level_.tick = 1;
  const int side = static_cast<int>(std::ceil(std::sqrt(size.regions)));
  for (int i = 0; i < size.regions; i++) {
    Region region(i % side, i / side);
    for (int index = 0; index < chunks; index++) region.change(index, 1);
    world.regions_.push_back(std::move(region));
  }
  for (const std::string& name : players()) world.changed_players_[name] = 1;
  TRY(world.save());
  return world;
}

Result<World> World::load(const fs::path& dir) {
  World world(dir);
  world.level_ = TRY(read_level(dir / "level.dat"));
  TRY(world.load_regions());
  TRY(world.load_players());
  TRY(world.check_nothing_else());
  if (world.regions_.empty()) return fail(Code::kDataLoss, "level.dat has no regions");
  return world;
}

Result<void> World::load_regions() {
  for (const auto& [name, recorded] : level_.files) {
    int x = 0;
    int z = 0;
    if (!parse_region_path(name, x, z)) continue;
    Region region = TRY(manman::in(name, Region::read(dir_ / name, x, z)));
    TRY(compare(name, recorded, {region.counter(), region.checksum()}));
    regions_.push_back(std::move(region));
  }
  return {};
}

Result<void> World::load_players() {
  for (const std::string& player : players()) {
    const std::string name = player_path(player);
    const auto recorded = level_.files.find(name);
    if (recorded == level_.files.end()) return fail(Code::kDataLoss, "level.dat lacks " + name);
    const Recorded found = TRY(manman::in(name, read_player(dir_ / name, player)));
    TRY(compare(name, recorded->second, found));
  }
  return {};
}

Result<void> World::check_nothing_else() const {
  for (const char* folder : {"region", "players"}) {
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(dir_ / folder, error)) {
      const std::string name = std::string(folder) + "/" + entry.path().filename().string();
      if (!level_.files.contains(name) && !name.ends_with("_new"))
        return fail(Code::kDataLoss, "torn: level.dat does not know " + name);
    }
    if (error) return fail(Code::kDataLoss, std::string(folder) + ": " + error.message());
  }
  return {};
}

int World::chunks() const {
  int count = 0;
  for (const Region& region : regions_) count += region.chunks();
  return count;
}

void World::advance() {
  level_.tick++;
  for (int i = 0; i < kChangesPerTick; i++) {
    Region& region = regions_[random_() % regions_.size()];
    region.change(static_cast<int>(random_() % static_cast<unsigned>(region.chunks())),
                  level_.tick);
  }
  changed_players_[players()[random_() % players().size()]] = level_.tick;
}

Result<void> World::save() {
  for (Region& region : regions_) {
    if (!region.dirty()) continue;
    const std::string name = region_path(region.x(), region.z());
    TRY(region.save(dir_ / name, level_.sectors));
    level_.files[name] = {region.counter(), region.checksum()};
  }
  while (!changed_players_.empty()) {
    const auto& [player, tick] = *changed_players_.begin();
    const std::string name = player_path(player);
    level_.files[name] = TRY(write_player(dir_ / name, player, tick));
    changed_players_.erase(changed_players_.begin());
  }
  return write_level(dir_ / "level.dat", level_);
}

}  // namespace sample_game
