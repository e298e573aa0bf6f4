#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "game/quiesce/console.h"

namespace manman {

// A quiesced game, and how it is resumed.
struct GuardedGame {
  GameInstance game;
  std::vector<std::string> resume;
  RconPlace rcon;
  std::chrono::milliseconds limit{0};  // how long it may stay quiesced at the most
};

// A process of its own (`{program} …`) that resumes a game when the process that quiesced it has
// ended, whatever ended it, or the limit is over. Thread-compatible.
class ResumeGuard {
 public:
  // Returns once the guard is ready. An error: there is none.
  static Result<ResumeGuard> start(const std::vector<std::string>& program,
                                   const GuardedGame& game);
  ResumeGuard(ResumeGuard&&) noexcept;
  ResumeGuard& operator=(ResumeGuard&&) = delete;
  // Without dismiss() before it the guard resumes the game now.
  ~ResumeGuard();

  // The game was resumed: the guard ends.
  void dismiss();

 private:
  ResumeGuard(pid_t pid, UniqueFd link);

  pid_t pid_ = 0;
  UniqueFd link_;  // closed by whatever ends this process
};

// The guard's main function; returns its exit code. open_console makes the console of a game.
int run_resume_guard(
    const std::function<Result<std::unique_ptr<Console>>(const GuardedGame&)>& open_console);

}  // namespace manman
