#include "host/drill_game.h"

#include <cstdio>
#include <set>

#include "base/failpoint.h"
#include "base/retry.h"
#include "game/quiesce/readiness.h"
#include "host/drill_flow.h"
#include "host/end_game.h"
#include "host/start_flow.h"
#include "host/unpack_backup.h"

namespace manman::host {
namespace fs = std::filesystem;
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kLookInterval{200};
constexpr size_t kMaxLinks = 100;
constexpr size_t kMaxOutputBytes = 350;  // so that it fits into a finding

bool is_below(const fs::path& path, const fs::path& folder) {
  return std::ranges::mismatch(folder, path).in1 == folder.end();
}

std::unexpected<Error> refuse(const std::string& why) {
  return fail(Code::kFailedPrecondition, "the game is not started: " + why);
}

// What symbolic links of a world lead to outside of the folder of all GSCs: a live world on another
// disk, say. What does not exist is nobody's world.
Result<std::vector<fs::path>> linked_to(const fs::path& world, const fs::path& data_dir) {
  std::set<fs::path> found;
  std::error_code error;
  for (fs::recursive_directory_iterator it(world, error), end; !error && it != end;
       it.increment(error)) {
    std::error_code none;
    if (!it->is_symlink(none)) continue;
    const fs::path target = fs::canonical(it->path(), none);
    if (none || is_below(target, data_dir) || is_below(target, "/proc") ||
        is_below(target, "/dev") || is_below(target, "/sys"))
      continue;
    if (is_below(data_dir, target))
      return refuse("its " + it->path().lexically_relative(world).string() +
                    " is a symbolic link to " + target.string() +
                    ", which holds the data of all games here");
    found.insert(target);
    if (found.size() > kMaxLinks)
      return refuse("more than " + std::to_string(kMaxLinks) +
                    " symbolic links lead out of its world");
  }
  if (error) return fail_errno("read " + world.string(), error.value());
  return std::vector<fs::path>(found.begin(), found.end());
}

// On a host that does not have the SGC nothing can stand in for a folder that is named by its path.
Result<void> check_paths(const GameLaunch& launch, const fs::path& live) {
  if (!launch.image.empty() || TRY(folder_exists(live))) return {};
  const auto names_it = [&](const std::string& text) {
    return text.find(live.string()) != std::string::npos;
  };
  for (const std::string& word : launch.argv)
    if (names_it(word)) return refuse("its argument " + word + " names a folder that is not here");
  for (const auto& [name, value] : launch.env)
    if (names_it(value)) return refuse("its variable " + name + " names a folder that is not here");
  return {};
}

// Kills and forgets, whatever state it is in.
Result<void> end(Context& context, const About& about, const GameInstance& game) {
  const auto ended = [&](milliseconds duration) {
    const auto state = context.runtime.wait(game, duration);
    return state && state->kind != GameState::Kind::kRunning;
  };
  const GameState now = TRY(context.runtime.state(game));
  if (now.kind == GameState::Kind::kRunning && !kill_game(context, about, game, ended))
    return fail(Code::kUnavailable, name_of(game) + " does not end, not even killed");
  return context.runtime.forget(game);
}

class DrillGame {
 public:
  DrillGame(Context& context, Job& job, const DrillCommand& command)
      : context_(context),
        job_(job),
        launch_(command.launch),
        game_(drill_game(context, command.drill_id, command.sgc_id)),
        live_(context.gsc(launch_.environment, command.sgc_id).root) {}
  DrillGame(const DrillGame&) = delete;
  DrillGame& operator=(const DrillGame&) = delete;
  ~DrillGame() {
    if (auto ended = end(context_, job_.about, game_); !ended)
      log_error(job_.about, "{}", ended.error().message);
  }

  Result<void> start() {
    TRY(check_paths(launch_, live_));
    GameProgram program = program_of(launch_);
    program.ports.clear();
    program.apart = Apart{.read_only = {}, .stands_for = live_};
    if (launch_.image.empty()) {
      program.apart->read_only =
          TRY(linked_to(game_.gsc_dir / kSaveData, context_.config.data_dir));
      program.apart->read_only.push_back(context_.config.data_dir);
    }
    TRY(job_.progress.check());
    log_info(job_.about, "starts {}", name_of(game_));
    return in("start the game", context_.runtime.start(game_, program));
  }

  Result<GameTrial> await() {
    const Handling& handling = launch_.handling;
    const Readiness readiness =
        TRY(wait_until_ready(context_.runtime, game_, handling.ready,
                             seconds(handling.ready_timeout_seconds), job_.cancelled()));
    GameTrial trial;
    switch (readiness.kind) {
      case Readiness::Kind::kReady:
        trial.said = "the game was ready after " + in_seconds(readiness.after);
        break;
      case Readiness::Kind::kEnded:
        trial.problem = "the game ended (" + end_of(readiness.state) + ") before it was ready" +
                        TRY(last_lines());
        break;
      case Readiness::Kind::kLate:
        trial.problem = "the game was not ready within " +
                        std::to_string(handling.ready_timeout_seconds) + " s" + TRY(last_lines());
    }
    return trial;
  }

  // As its players know it. What it does then says nothing more of the backup.
  void stop() {
    end_game(context_, job_.about, game_, launch_.handling, [this](milliseconds duration) {
      const auto until = std::chrono::steady_clock::now() + duration;
      for (;;) {
        const auto state = context_.runtime.wait(game_, kLookInterval);
        if (state && state->kind != GameState::Kind::kRunning) return true;
        if (std::chrono::steady_clock::now() >= until || job_.progress.cancel) return false;
        if (!state) sleep_unless(kLookInterval, job_.cancelled());
      }
    });
  }

 private:
  static std::string in_seconds(milliseconds time) {
    char text[40];
    std::snprintf(text, sizeof text, "%.1f s", static_cast<double>(time.count()) / 1000);
    return text;
  }

  static std::string end_of(const GameState& state) {
    if (state.kind != GameState::Kind::kExited) return "nobody saw how";
    if (state.signal != 0) return "by signal " + std::to_string(state.signal);
    return "exit " + std::to_string(state.exit_code);
  }

  Result<std::string> last_lines() {
    const std::string lines = TRY(last_output(context_.runtime, game_, kMaxOutputBytes));
    return lines.empty() ? "; it said nothing" : "; its last lines: " + lines;
  }

  Context& context_;
  Job& job_;
  const GameLaunch& launch_;
  const GameInstance game_;
  const fs::path live_;
};

}  // namespace

fs::path drill_dir(const Context& context, int64_t drill_id) {
  return drills_dir(context) / ("drill-" + std::to_string(drill_id));
}

GameInstance drill_game(const Context& context, int64_t drill_id, int64_t sgc_id) {
  return {-drill_id, sgc_id, drill_dir(context, drill_id)};
}

Result<GameTrial> try_game(Context& context, Job& job, const DrillCommand& command) {
  DrillGame game(context, job, command);
  TRY(game.start());
  TRY(failpoint::pass("drill.game_started"));
  GameTrial trial = TRY(game.await());
  log_info(job.about, "{}", trial.problem.empty() ? trial.said : trial.problem);
  if (!trial.problem.empty()) return trial;
  TRY(failpoint::pass("drill.game_ready"));
  game.stop();
  return trial;
}

Result<void> end_drill_game(Context& context, int64_t drill_id) {
  if (!TRY(folder_exists(drill_dir(context, drill_id)))) return {};
  const JobKey key{JobKind::kDrill, drill_id};
  const auto record = context.journal->find(key);
  const int64_t sgc_id = record ? record->sgc_id : 0;
  return end(context, about(key, sgc_id, context.config.server_id),
             drill_game(context, drill_id, sgc_id));
}

}  // namespace manman::host
