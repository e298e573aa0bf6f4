#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/stream.h"

namespace manman {

// One execution of a game: the session and where its GSC directory is. Save data is in
// {gsc_dir}/game; all else that a runtime keeps stands beside it in {gsc_dir}/session-{id}/.
struct GameInstance {
  int64_t session_id = 0;  // that of a restore drill, which is no session: the drill's, below 0
  int64_t sgc_id = 0;
  std::filesystem::path gsc_dir;
};

// A port of a container and the one of the machine that leads to it.
struct GamePort {
  int container_port = 0;
  int host_port = 0;
  bool udp = false;
};

inline std::string name_of(const GameInstance& game) {
  return game.session_id < 0 ? "the game of drill " + std::to_string(-game.session_id)
                             : "the game of session " + std::to_string(game.session_id);
}

// How a game is kept apart from the world that it was made for: it is in no network but a loopback
// of its own, where every port is free. For a process these besides:
struct Apart {
  // Nothing in these can be written to, but its own GSC directory.
  std::vector<std::filesystem::path> read_only;
  // The folder in whose place it finds its own GSC directory, so that no path leads to that one.
  std::filesystem::path stands_for;
};

struct GameProgram {
  std::string image;              // "" for a process
  std::vector<std::string> argv;  // not empty for a process
  std::map<std::string, std::string> env;
  // For containers only. So many words of argv are the entrypoint, the rest is the command; the
  // image's own counts where one of the two is empty.
  size_t entrypoint_words = 0;
  std::string data_path;  // where the container finds {gsc_dir}/game; "" is kDefaultDataPath
  std::vector<GamePort> ports;
  std::optional<Apart> apart = std::nullopt;  // then no port is published
};

// Below the folder of the GSC directories: those of drills.
inline constexpr const char* kDrills = "drills";

inline constexpr const char* kDefaultDataPath = "/data/game";

struct GameState {
  enum class Kind {
    kRunning,
    kExited,  // exit_code and signal say how
    kGone,    // was started, and nothing is known of its end (the machine went down)
    kNever,   // was not started
  };
  Kind kind = Kind::kNever;
  int exit_code = 0;  // 128 + signal when a signal ended it
  int signal = 0;
};

// Runs game servers. A game outlives the host manager: after a restart all of these work on a game
// that an earlier process started. Thread-safe, also for one instance (one thread waits for the end
// of a game while others send input, read its output or kill it); only start and forget must be
// alone with theirs.
class Runtime {
 public:
  virtual ~Runtime() = default;

  // Returns once the game's program runs; a program that can't be executed, or
  // not be kept apart, is an error naming it.
  // An instance that was started before is kAlreadyExists.
  virtual Result<void> start(const GameInstance& game, const GameProgram& program) = 0;
  virtual Result<GameState> state(const GameInstance& game) = 0;
  // Bytes to the game's standard input. A game that does not run is kFailedPrecondition; one that
  // does not read its input is kUnavailable.
  virtual Result<void> send_input(const GameInstance& game, std::string_view input) = 0;
  // Asks the game to end: SIGTERM. Does not wait. One that does not run is success.
  virtual Result<void> terminate(const GameInstance& game) = 0;
  // Ends the game and all of its processes at once: SIGKILL. Does not wait. One that does not run
  // is success.
  virtual Result<void> kill(const GameInstance& game) = 0;
  // Returns when the game has ended or the time has passed; the state then.
  virtual Result<GameState> wait(const GameInstance& game, std::chrono::milliseconds timeout) = 0;
  // The game's output so far, in bytes, and a part of it from offset (as much as there is, at most
  // the buffer; nothing beyond its end). kNotFound when there is none.
  virtual Result<uint64_t> output_size(const GameInstance& game) = 0;
  virtual Result<size_t> read_output(const GameInstance& game, uint64_t offset,
                                     MutableBytes buffer) = 0;
  // Removes what is kept of an ended game, its output included. One that runs is
  // kFailedPrecondition.
  virtual Result<void> forget(const GameInstance& game) = 0;
  // Ends and removes what a runtime keeps outside of the GSC directories (containers) for sessions
  // that are not in `live` and were not for `grace`; to be called again and again, by one thread at
  // a time. How they ended, and their output, stay in {gsc_dir}/session-{id}/.
  virtual Result<void> reap_orphans(const std::set<int64_t>& /*live*/,
                                    std::chrono::milliseconds /*grace*/) {
    return {};
  }
};

}  // namespace manman
