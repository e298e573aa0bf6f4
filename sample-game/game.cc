#include "sample-game/game.h"

#include <sys/resource.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>

namespace sample_game {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kMaxTicks = 1'000'000;

// The exit code in "exit N".
std::optional<int> exit_code(const std::string& line) {
  const std::string_view prefix = "exit ";
  int code = 0;
  if (!line.starts_with(prefix)) return std::nullopt;
  const char* end = line.data() + line.size();
  const auto [rest, error] = std::from_chars(line.data() + prefix.size(), end, code);
  if (error != std::errc{} || rest != end || code < 0 || code > 255) return std::nullopt;
  return code;
}

[[noreturn]] void crash() {
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  std::abort();
}

}  // namespace

bool Game::save() {
  const auto saved = world_.save();
  if (!saved) say("Failed to save the world: " + saved.error().message);
  return saved.has_value();
}

int Game::stop() {
  say("Stopping the server");
  say("Saving worlds");
  if (!save()) return 1;
  say("All dimensions are saved");
  return 0;
}

void Game::tell_ticks() {
  std::ranges::sort(tick_ms_);
  const size_t count = tick_ms_.size();
  const auto at = [&](size_t hundredths) { return tick_ms_[(count - 1) * hundredths / 100]; };
  char text[120] = "no tick yet";
  if (count > 0)
    std::snprintf(text, sizeof text, "%zu ticks: p50 %.2f ms, p99 %.2f ms, longest %.2f ms", count,
                  at(50), at(99), at(100));
  say(text);
  tick_ms_.clear();
}

std::optional<int> Game::command(const std::string& line) {
  if (line == "stop") return stop();
  if (line == "crash") crash();
  if (const auto code = exit_code(line)) return code;
  if (line == "save-off") {
    saving_ = false;
    say("Automatic saving is now disabled");
  } else if (line == "save-on") {
    saving_ = true;
    say("Automatic saving is now enabled");
  } else if (line == "save-all flush" || line == "save-all") {
    say("Saving the game (this may take a moment!)");
    if (save()) say("Saved the game");
  } else if (line == "list") {
    std::string names;
    for (const std::string& name : World::players()) names += (names.empty() ? "" : ", ") + name;
    say("There are " + std::to_string(World::players().size()) +
        " of a max of 20 players online: " + names);
  } else if (line == "ticks") {
    tell_ticks();
  } else if (line == "help") {
    say("save-off, save-on, save-all flush, list, ticks, stop, crash, exit N");
  } else if (!line.empty()) {
    say("Unknown command");
  }
  return std::nullopt;
}

int Game::run() {
  auto next_tick = Clock::now() + tick_;
  for (;;) {
    if (const auto line = console_.next(next_tick)) {
      if (const auto code = command(*line)) return *code;
    }
    if (Clock::now() < next_tick) continue;
    world_.advance();
    if (saving_) save();
    if (tick_ms_.size() < kMaxTicks)
      tick_ms_.push_back(
          std::chrono::duration<double, std::milli>(Clock::now() - next_tick).count());
    // A save that took long is not made up for.
    next_tick = std::max(next_tick + tick_, Clock::now());
  }
}

}  // namespace sample_game
