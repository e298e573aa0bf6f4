#include "game/runtime/docker/docker_runtime.h"

#include <sys/stat.h>

#include <cerrno>
#include <mutex>

#include "base/time.h"
#include "game/runtime/docker/orphans.h"
#include "game/runtime/docker/output_recorder.h"
#include "game/runtime/output_file.h"

namespace manman {
namespace {

using docker::ContainerState;
using docker::Engine;
using docker::OutputRecorder;
using docker::SessionDir;
using std::chrono::milliseconds;

// How long the end of a game waits for its last output.
constexpr milliseconds kOutputPatience{10000};

About about(const GameInstance& game) {
  return {.session_id = game.session_id, .sgc_id = game.sgc_id};
}

GameState exited(const process::Exit& exit) {
  return {GameState::Kind::kExited, exit.exit_code, exit.signal};
}

struct Found {
  std::string id;
  ContainerState state;
};

// Keeps nothing between calls but the recorders: all of it is with the engine and in the session's
// files, for the next manman as well.
class DockerRuntime final : public Runtime {
 public:
  explicit DockerRuntime(DockerConfig config)
      : config_(std::move(config)),
        engine_(config_.socket),
        orphans_(config_, engine_, [this](const GameInstance& game) { return keep_end(game); }) {}

  Result<void> start(const GameInstance& game, const GameProgram& program) override {
    const SessionDir files = TRY(docker::session_dir(game));
    return in(name_of(game), launch(absolute(game, files), files, program));
  }

  Result<GameState> state(const GameInstance& game) override {
    const SessionDir files = TRY(docker::session_dir(game));
    return in(name_of(game), look_at(absolute(game, files), files));
  }

  Result<void> send_input(const GameInstance& game, std::string_view input) override {
    const auto found = TRY(find_running(game));
    if (!found) return fail(Code::kFailedPrecondition, name_of(game) + " does not run");
    return in(name_of(game) + ": its input", engine_.send_input(found->id, input));
  }

  Result<void> terminate(const GameInstance& game) override {
    const auto found = TRY(find_running(game));
    if (!found) return {};
    return in(name_of(game), engine_.kill(found->id, found->state.stop_signal));
  }

  Result<void> kill(const GameInstance& game) override {
    const auto found = TRY(find_running(game));
    if (!found) return {};
    return in(name_of(game), engine_.kill(found->id, "SIGKILL"));
  }

  Result<GameState> wait(const GameInstance& game, milliseconds timeout) override {
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    const SessionDir files = TRY(docker::session_dir(game));
    // Who records its output sees its end as well; the engine is asked only where nobody does.
    if (!recorder_of(files)) {
      const GameState now = TRY(state(game));
      if (now.kind != GameState::Kind::kRunning) return now;
    }
    const auto recorder = recorder_of(files);
    const auto left = deadline - std::chrono::steady_clock::now();
    if (recorder && !recorder->wait_ended(std::chrono::ceil<milliseconds>(left)))
      return GameState{.kind = GameState::Kind::kRunning};
    return state(game);
  }

  Result<uint64_t> output_size(const GameInstance& game) override {
    return size_of_output(TRY(docker::session_dir(game)).output());
  }

  Result<size_t> read_output(const GameInstance& game, uint64_t offset,
                             MutableBytes buffer) override {
    return read_from_output(TRY(docker::session_dir(game)).output(), offset, buffer);
  }

  Result<void> forget(const GameInstance& game) override {
    if (TRY(state(game)).kind == GameState::Kind::kRunning)
      return fail(Code::kFailedPrecondition, name_of(game) + " still runs");
    const SessionDir files = TRY(docker::session_dir(game));
    drop_recorder(files);
    if (const auto found = TRY(find(absolute(game, files), files)))
      TRY(in(name_of(game), engine_.remove(found->id)));
    TRY(remove_tree(files.dir));
    auto synced = fsync_dir(files.dir.parent_path());
    if (!synced && synced.error().code == Code::kNotFound) return {};
    return synced;
  }

  Result<void> reap_orphans(const std::set<int64_t>& live, milliseconds grace) override {
    return orphans_.reap(live, grace);
  }

 private:
  using Recorder = std::shared_ptr<OutputRecorder>;

  // Of a session whose folder is gone nobody wants to know.
  Result<void> keep_end(const GameInstance& game) {
    const SessionDir files = TRY(docker::session_dir(game));
    std::error_code error;
    if (std::filesystem::exists(files.dir, error)) TRY(state(game));
    return {};
  }

  static GameInstance absolute(const GameInstance& game, const SessionDir& files) {
    return {game.session_id, game.sgc_id, files.dir.parent_path()};
  }

  Result<void> launch(const GameInstance& game, const SessionDir& files,
                      const GameProgram& program) {
    const std::string spec = TRY(docker::container_spec(config_, game, program));
    TRY(remove_unstarted(game, files));
    const std::string id =
        TRY(engine_.create(docker::container_name(config_, game), program.image, spec));
    auto started = start_created(files, id, program.image);
    if (started) started = record(game, files, id);
    if (started) return {};
    // The file first: without a container it would say that a game had run.
    for (const auto& removed : {remove_tree(files.dir), engine_.remove(id)}) {
      if (!removed)
        log_error(about(game), "after a failed start of container {}: {}", id,
                  removed.error().message);
    }
    return started;
  }

  // What a start that was cut off left; a container that was started is not removed.
  Result<void> remove_unstarted(const GameInstance& game, const SessionDir& files) {
    const auto found = TRY(find(game, files));
    const bool known = TRY(docker::read_container_id(files))
    || TRY(read_exit(files));
    if ((found && found->state.started) || (known && !found))
      return fail(Code::kAlreadyExists, "it was started before");
    if (found) TRY(engine_.remove(found->id));
    return {};
  }

  Result<void> start_created(const SessionDir& files, const std::string& id,
                             const std::string& image) {
    TRY(make_dirs(files.dir.parent_path() / "game"));
    TRY(make_dirs(files.dir));
    if (::chmod(files.dir.c_str(), 0700) != 0)
      return fail_errno("chmod " + files.dir.string(), errno);
    TRY(docker::write_container_id(files, id, image));
    return engine_.start(id);
  }

  Result<GameState> look_at(const GameInstance& game, const SessionDir& files) {
    if (const auto exit = TRY(read_exit(files))) return exited(*exit);
    const auto found = TRY(find(game, files));
    if (!found) {
      const bool was_there = TRY(docker::read_container_id(files))
      .has_value();
      return GameState{.kind = was_there ? GameState::Kind::kGone : GameState::Kind::kNever};
    }
    if (!found->state.started) return GameState{.kind = GameState::Kind::kNever};
    TRY(record(game, files, found->id));
    if (found->state.running) return GameState{.kind = GameState::Kind::kRunning};
    return conclude(game, files, found->state);
  }

  // Its end is written down once all of its output is, for when the container is removed.
  Result<GameState> conclude(const GameInstance& game, const SessionDir& files,
                             const ContainerState& state) {
    const auto recorder = recorder_of(files);
    if (recorder && !recorder->wait_complete(kOutputPatience))
      log_warn(about(game), "its last output is not all there yet");
    else
      drop_recorder(files);
    if (state.out_of_memory) log_warn(about(game), "the game was out of memory");
    if (!state.error.empty()) log_warn(about(game), "Docker reports: {}", state.error);
    const std::scoped_lock writing(writing_exit_);
    const process::Exit exit{.exit_code = state.exit_code, .ended_at = system_clock().now_s()};
    TRY(process::write_record(files.process_files(), exit));
    return exited(exit);
  }

  static Result<std::optional<process::Exit>> read_exit(const SessionDir& files) {
    return process::read_exit(files.process_files());
  }

  Result<std::optional<Found>> find_running(const GameInstance& game) {
    const SessionDir files = TRY(docker::session_dir(game));
    auto found = TRY(in(name_of(game), find(absolute(game, files), files)));
    if (!found || !found->state.running) return std::optional<Found>();
    return found;
  }

  // By the id that stands in its files, or by its labels.
  Result<std::optional<Found>> find(const GameInstance& game, const SessionDir& files) {
    if (const auto id = TRY(docker::read_container_id(files))) {
      if (auto state = TRY(engine_.inspect(*id))) return Found{*id, *std::move(state)};
    }
    for (const auto& container : TRY(engine_.list(docker::session_labels(config_, game)))) {
      if (auto state = TRY(engine_.inspect(container.id)))
        return Found{container.id, *std::move(state)};
    }
    return std::optional<Found>();
  }

  Recorder recorder_of(const SessionDir& files) {
    auto recorders = recorders_.lock();
    const auto found = recorders->find(files.dir);
    return found == recorders->end() ? nullptr : found->second;
  }

  Result<void> record(const GameInstance& game, const SessionDir& files, const std::string& id) {
    auto recorders = recorders_.lock();
    Recorder& recorder = (*recorders)[files.dir];
    if (recorder) return {};
    auto started = OutputRecorder::start(engine_, id, files, about(game));
    if (!started) {
      recorders->erase(files.dir);
      return std::unexpected(std::move(started).error());
    }
    recorder = *std::move(started);
    return {};
  }

  // It is joined without the lock.
  void drop_recorder(const SessionDir& files) {
    Recorder dropped;
    auto recorders = recorders_.lock();
    const auto found = recorders->find(files.dir);
    if (found == recorders->end()) return;
    dropped = std::move(found->second);
    recorders->erase(found);
  }

  const DockerConfig config_;
  Engine engine_;
  docker::Orphans orphans_;
  std::mutex writing_exit_;
  Sync<std::map<std::filesystem::path, Recorder>> recorders_;
};

}  // namespace

std::unique_ptr<Runtime> make_docker_runtime(DockerConfig config) {
  // Without a slash at its end, as the parent of the GSC directories.
  config.data_dir =
      (std::filesystem::absolute(config.data_dir) / "").lexically_normal().parent_path();
  return std::make_unique<DockerRuntime>(std::move(config));
}

}  // namespace manman
