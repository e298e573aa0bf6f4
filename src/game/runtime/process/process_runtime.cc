#include "game/runtime/process/process_runtime.h"

#include <csignal>

#include "base/file.h"
#include "game/runtime/output_file.h"
#include "game/runtime/process/input.h"
#include "game/runtime/process/launch.h"
#include "game/runtime/process/observe.h"

namespace manman {
namespace {

using process::Observation;
using process::SessionFiles;

Result<SessionFiles> files_of(const GameInstance& game) {
  if (game.session_id == 0 || game.gsc_dir.empty())
    return fail(Code::kInvalidArgument, "a game needs a session id and a GSC directory");
  std::error_code error;
  const auto gsc_dir = std::filesystem::absolute(game.gsc_dir, error);
  if (error)
    return fail(Code::kInvalidArgument,
                "GSC directory " + game.gsc_dir.string() + ": " + error.message());
  return SessionFiles{gsc_dir / ("session-" + std::to_string(game.session_id))};
}

// Keeps nothing between calls: all of it is in the session's files, for the next manman as well.
class ProcessRuntime final : public Runtime {
 public:
  explicit ProcessRuntime(std::filesystem::path self_exe) : self_exe_(std::move(self_exe)) {}

  Result<void> start(const GameInstance& game, const GameProgram& program) override {
    TRY(process::check_program(program));
    const SessionFiles files = TRY(files_of(game));
    return in(name_of(game), process::launch(self_exe_, files, program));
  }

  Result<GameState> state(const GameInstance& game) override {
    return TRY(look_at(game))
    .state;
  }

  Result<void> send_input(const GameInstance& game, std::string_view input) override {
    if (TRY(look_at(game)).state.kind != GameState::Kind::kRunning)
      return fail(Code::kFailedPrecondition, name_of(game) + " does not run");
    return in(name_of(game), process::write_input(TRY(files_of(game)), input));
  }

  Result<void> terminate(const GameInstance& game) override {
    return in(name_of(game), process::signal_game(TRY(look_at(game)), SIGTERM));
  }

  Result<void> kill(const GameInstance& game) override {
    return in(name_of(game), process::kill_game(TRY(look_at(game))));
  }

  Result<GameState> wait(const GameInstance& game, std::chrono::milliseconds timeout) override {
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    for (;;) {
      const Observation observation = TRY(look_at(game));
      if (observation.state.kind != GameState::Kind::kRunning ||
          std::chrono::steady_clock::now() >= deadline)
        return observation.state;
      TRY(process::wait_for_change(observation, deadline));
    }
  }

  Result<uint64_t> output_size(const GameInstance& game) override {
    return size_of_output(TRY(files_of(game)).output());
  }

  Result<size_t> read_output(const GameInstance& game, uint64_t offset,
                             MutableBytes buffer) override {
    return read_from_output(TRY(files_of(game)).output(), offset, buffer);
  }

  Result<void> forget(const GameInstance& game) override {
    if (TRY(look_at(game)).state.kind == GameState::Kind::kRunning)
      return fail(Code::kFailedPrecondition, name_of(game) + " still runs");
    const SessionFiles files = TRY(files_of(game));
    TRY(remove_tree(files.dir));
    // Without a GSC directory there was nothing to forget.
    auto synced = fsync_dir(files.dir.parent_path());
    if (!synced && synced.error().code == Code::kNotFound) return {};
    return synced;
  }

 private:
  static Result<Observation> look_at(const GameInstance& game) {
    return in(name_of(game), process::observe(TRY(files_of(game))));
  }

  std::filesystem::path self_exe_;
};

}  // namespace

std::unique_ptr<Runtime> make_process_runtime(std::filesystem::path self_exe) {
  return std::make_unique<ProcessRuntime>(std::move(self_exe));
}

}  // namespace manman
