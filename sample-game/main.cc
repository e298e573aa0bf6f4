#include <chrono>
#include <cstdio>
#include <exception>

#include "sample-game/console.h"
#include "sample-game/game.h"
#include "sample-game/options.h"
#include "sample-game/world.h"

namespace sample_game {
namespace {

namespace fs = std::filesystem;
using manman::Result;

// Exit codes beside those of the game itself.
constexpr int kTorn = 1;     // --check
constexpr int kRefused = 2;  // a world that fails the check
constexpr int kUsageError = 64;

int complain(const manman::Error& error, int exit_code) {
  std::fprintf(stderr, "sample-game: %s\n", error.text().c_str());
  return exit_code;
}

int check(const fs::path& dir) {
  const auto world = World::load(dir);
  if (!world) {
    std::printf("BAD %s: %s\n", dir.c_str(), world.error().message.c_str());
    return kTorn;
  }
  std::printf("OK %s: tick %u, %zu regions, %d chunks\n", dir.c_str(), world->tick(),
              world->regions(), world->chunks());
  return 0;
}

Result<World> load_or_create(const Options& options) {
  std::error_code error;
  if (fs::exists(options.world, error) && !fs::is_empty(options.world, error)) {
    say("Loading world " + options.world.string());
    return World::load(options.world);
  }
  say("No existing world data, creating new world " + options.world.string());
  return World::create(options.world, options.size);
}

int play(const Options& options) {
  const auto began = std::chrono::steady_clock::now();
  auto console = Console::open();
  if (!console) return complain(console.error(), 1);
  auto world = load_or_create(options);
  if (!world) {
    say("Failed to load the world: " + world.error().message);
    return complain(std::move(world).error().in("refused to start"), kRefused);
  }
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  char ready[80];
  std::snprintf(ready, sizeof ready, "Done (%.3fs)! For help, type \"help\"", seconds);
  say(ready);
  return Game(std::move(*world), std::move(*console), options.tick).run();
}

int run(int argc, char** argv) {
  const auto options = parse_options(argc, argv);
  if (!options) {
    complain(options.error(), kUsageError);
    std::fputs(kUsage, stderr);
    return kUsageError;
  }
  if (options->help) {
    std::fputs(kUsage, stdout);
    return 0;
  }
  return options->check.empty() ? play(*options) : check(options->check);
}

}  // namespace
}  // namespace sample_game

int main(int argc, char** argv) {
  try {
    return sample_game::run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "sample-game: %s\n", error.what());
    return 1;
  }
}
