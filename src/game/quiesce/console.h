#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "game/quiesce/output_follower.h"
#include "game/runtime/runtime.h"

namespace manman {

// What a running game is told, line by line, and what it answers. One thread at a time.
class Console {
 public:
  using Deadline = std::chrono::steady_clock::time_point;

  virtual ~Console() = default;

  // From now on read_answer() gives what the game puts out; what it has put out before is none.
  virtual Result<void> listen() = 0;
  // One line, without its newline. Where the game answers each line, its answer is waited for:
  // kDeadlineExceeded when it does not come, kCancelled once `stop` (may be empty) says so.
  virtual Result<void> send(std::string_view line, Deadline deadline,
                            const std::function<bool()>& stop) = 0;
  // Gives the lines that have come since the last call, in order, until `line` returns true. True
  // when it did; false when there are no more by now.
  virtual Result<bool> read_answer(const std::function<bool(std::string_view)>& line) = 0;
  virtual Result<bool> game_runs() = 0;
  // Of log lines.
  virtual const GameInstance& game() const = 0;
};

// Where a game answers RCON, and the file that holds its password. port 0: nowhere.
struct RconPlace {
  int port = 0;
  std::filesystem::path secret;
};

// The game's standard input and output. The runtime must outlive it.
std::unique_ptr<Console> make_stdin_console(Runtime& runtime, const GameInstance& game);
// By RCON on this machine where there is a place, else by standard input. Connects when the first
// line is sent.
Result<std::unique_ptr<Console>> open_console(Runtime& runtime, const GameInstance& game,
                                              const RconPlace& rcon);

}  // namespace manman
