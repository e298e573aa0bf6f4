#include <optional>

#include "game/quiesce/console.h"

namespace manman {
namespace {

class StdinConsole final : public Console {
 public:
  StdinConsole(Runtime& runtime, GameInstance game) : runtime_(runtime), game_(std::move(game)) {}

  Result<void> listen() override {
    output_.emplace(TRY(OutputFollower::from_now(runtime_, game_)));
    return {};
  }

  Result<void> send(std::string_view line, Deadline, const std::function<bool()>&) override {
    return runtime_.send_input(game_, std::string(line) + "\n");
  }

  Result<bool> read_answer(const std::function<bool(std::string_view)>& line) override {
    if (!output_) return false;
    return output_->read_new(line);
  }

  Result<bool> game_runs() override {
    return TRY(runtime_.state(game_))
    .kind == GameState::Kind::kRunning;
  }

  const GameInstance& game() const override { return game_; }

 private:
  Runtime& runtime_;
  const GameInstance game_;
  std::optional<OutputFollower> output_;
};

}  // namespace

std::unique_ptr<Console> make_stdin_console(Runtime& runtime, const GameInstance& game) {
  return std::make_unique<StdinConsole>(runtime, game);
}

}  // namespace manman
