#include "game/runtime/runtime_by_image.h"

#include "game/runtime/docker/session_dir.h"

namespace manman {
namespace {

std::unexpected<Error> no_docker(const std::string& what) {
  return std::unexpected(Error{Code::kFailedPrecondition,
                               what + " needs Docker, and this host has none", false,
                               "name its socket by --docker-socket (DOCKER_SOCKET)"});
}

class RuntimeByImage final : public Runtime {
 public:
  RuntimeByImage(std::unique_ptr<Runtime> process, std::unique_ptr<Runtime> docker)
      : process_(std::move(process)), docker_(std::move(docker)) {}

  Result<void> start(const GameInstance& game, const GameProgram& program) override {
    if (program.image.empty()) return process_->start(game, program);
    if (!docker_) return no_docker("image " + program.image);
    return docker_->start(game, program);
  }

  Result<GameState> state(const GameInstance& game) override {
    return TRY(runtime_of(game))
    ->state(game);
  }
  Result<void> send_input(const GameInstance& game, std::string_view input) override {
    return TRY(runtime_of(game))
    ->send_input(game, input);
  }
  Result<void> terminate(const GameInstance& game) override {
    return TRY(runtime_of(game))
    ->terminate(game);
  }
  Result<void> kill(const GameInstance& game) override {
    return TRY(runtime_of(game))
    ->kill(game);
  }
  Result<GameState> wait(const GameInstance& game, std::chrono::milliseconds timeout) override {
    return TRY(runtime_of(game))
    ->wait(game, timeout);
  }
  Result<uint64_t> output_size(const GameInstance& game) override {
    return TRY(runtime_of(game))
    ->output_size(game);
  }
  Result<size_t> read_output(const GameInstance& game, uint64_t offset,
                             MutableBytes buffer) override {
    return TRY(runtime_of(game))
    ->read_output(game, offset, buffer);
  }
  Result<void> forget(const GameInstance& game) override {
    return TRY(runtime_of(game))
    ->forget(game);
  }
  Result<void> reap_orphans(const std::set<int64_t>& live,
                            std::chrono::milliseconds grace) override {
    return docker_ ? docker_->reap_orphans(live, grace) : Result<void>();
  }

 private:
  Result<Runtime*> runtime_of(const GameInstance& game) {
    const auto files = TRY(docker::session_dir(game));
    const auto exists = [](const std::filesystem::path& path) {
      std::error_code error;
      return std::filesystem::exists(path, error);
    };
    if (exists(files.container())) {
      if (docker_) return docker_.get();
      return no_docker(name_of(game));
    }
    // A folder that says nothing may have lost the file that names its container.
    if (!docker_ || !exists(files.dir) || exists(files.process_files().spec()))
      return process_.get();
    const auto state = docker_->state(game);
    return state && state->kind != GameState::Kind::kNever ? docker_.get() : process_.get();
  }

  std::unique_ptr<Runtime> process_;
  std::unique_ptr<Runtime> docker_;
};

}  // namespace

std::unique_ptr<Runtime> make_runtime_by_image(std::unique_ptr<Runtime> process,
                                               std::unique_ptr<Runtime> docker) {
  return std::make_unique<RuntimeByImage>(std::move(process), std::move(docker));
}

}  // namespace manman
