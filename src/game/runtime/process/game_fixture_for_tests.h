#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include "game/runtime/process/process_runtime.h"
#include "game/runtime/process/session_files.h"

// Real games for tests: processes of this machine, run by the real wrapper. The test program is its
// own wrapper (see wrapper_main_test.cc).
namespace manman {

inline constexpr std::chrono::seconds kLong{20};  // what should be quick takes no longer than this

class GameTest : public testing::Test {
 protected:
  GameTest() : runtime_(make_process_runtime("/proc/self/exe")) {
    std::string pattern = (std::filesystem::temp_directory_path() / "manman-game-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp " + pattern);
    dir_ = pattern;
  }
  // Ends whatever a failed test left running.
  void TearDown() override {
    for (const GameInstance& game : games_) {
      EXPECT_TRUE(runtime_->kill(game));
      const auto ended = runtime_->wait(game, kLong);
      EXPECT_TRUE(ended && ended->kind != GameState::Kind::kRunning);
    }
    std::filesystem::remove_all(dir_);
  }

  GameInstance instance(int64_t session_id = 1) {
    const GameInstance game{session_id, 7, dir_ / "gsc-test-7"};
    games_.push_back(game);
    return game;
  }
  std::filesystem::path game_dir() const { return dir_ / "gsc-test-7" / "game"; }
  static process::SessionFiles files_of(const GameInstance& game) {
    return {game.gsc_dir / ("session-" + std::to_string(game.session_id))};
  }

  Result<void> start(const GameInstance& game, std::vector<std::string> argv,
                     std::map<std::string, std::string> env = {}) {
    return runtime_->start(game, {.image = "", .argv = std::move(argv), .env = std::move(env)});
  }
  // A started game that runs this script.
  GameInstance shell(const std::string& script, int64_t session_id = 1) {
    const GameInstance game = instance(session_id);
    const auto started = start(game, {"sh", "-c", script});
    EXPECT_TRUE(started) << started.error().message;
    return game;
  }

  GameState wait(const GameInstance& game) {
    const auto state = runtime_->wait(game, kLong);
    EXPECT_TRUE(state) << state.error().message;
    return state.value_or(GameState{});
  }
  GameState::Kind state(const GameInstance& game) {
    const auto state = runtime_->state(game);
    EXPECT_TRUE(state) << state.error().message;
    return state.value_or(GameState{}).kind;
  }
  std::string output(const GameInstance& game) {
    std::string text(1 << 20, '\0');
    const auto size = runtime_->read_output(game, 0, std::as_writable_bytes(std::span(text)));
    EXPECT_TRUE(size) << size.error().message;
    text.resize(size.value_or(0));
    return text;
  }
  // The output once it holds `text`, or after a long time.
  std::string wait_for_output(const GameInstance& game, std::string_view text) {
    const auto deadline = std::chrono::steady_clock::now() + kLong;
    std::string all = output(game);
    while (all.find(text) == std::string::npos && std::chrono::steady_clock::now() < deadline) {
      (void)runtime_->wait(game, std::chrono::milliseconds(5));
      all = output(game);
    }
    return all;
  }

  std::filesystem::path dir_;
  std::unique_ptr<Runtime> runtime_;

 private:
  std::vector<GameInstance> games_;
};

}  // namespace manman
