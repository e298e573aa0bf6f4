#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "game/quiesce/console.h"
#include "game/quiesce/resume_guard.h"

namespace manman {

struct ConsoleStep {
  std::string input;          // a newline is added
  std::string confirm_regex;  // RE2, searched in each new line of output; "" waits for nothing
  std::chrono::milliseconds timeout{30000};
  std::chrono::milliseconds repeat{0};  // the input is sent again this often; 0: once
  // After the confirming line comes one that lists files and lengths, kept as file_list().
  bool lists_files = false;
};

struct QuiescePlan {
  std::vector<ConsoleStep> quiesce;
  std::vector<std::string> resume;  // inputs that undo it
  // A game that held still for so long, from the last confirmation on, is resumed whatever is being
  // done; 0: for as long as it takes.
  std::chrono::milliseconds max_pause{0};
  // A step that is not confirmed in time is no error; unconfirmed() tells.
  bool go_on_unconfirmed = false;
};

// A game that has flushed and stopped writing its save data. Resumes it when destroyed, unless
// resume() or the end of max_pause has done so already. Thread-safe.
class Quiesced {
 public:
  Quiesced();  // nothing to resume; never held
  Quiesced(Quiesced&&) noexcept;
  Quiesced& operator=(Quiesced&&) = delete;
  ~Quiesced();

  // The game goes on saving. Success when it does already, or has ended.
  Result<void> resume();
  // Whether it was told to hold still and not to go on yet.
  bool held() const;
  // Whether max_pause was over before resume() was called.
  bool overran() const;
  // Why it is not certain that the game holds still: the step that was not confirmed, or that
  // the last one waits for no confirmation. "" when all that waits for one was confirmed.
  const std::string& unconfirmed() const;
  // The line of the game's answer that lists files; "" when no step asks for it.
  const std::string& file_list() const;
  // How long it held still (so far), from the last confirmation to the first resume input.
  std::chrono::milliseconds pause() const;

 private:
  friend Result<Quiesced> quiesce(std::unique_ptr<Console> console, const QuiescePlan& plan,
                                  const std::function<bool()>& stop,
                                  std::optional<ResumeGuard> guard);
  class Hold;
  explicit Quiesced(std::unique_ptr<Hold> hold);

  std::unique_ptr<Hold> hold_;
};

// Sends each step and waits for its confirmation. When one does not come (kDeadlineExceeded, with
// the step named) or the input can't be sent, the game is resumed and the error returned. stop
// is asked often; true ends the wait with kCancelled, the game resumed. A bad expression is
// kInvalidArgument before anything is sent. The guard, if any, resumes the game where this process
// does not.
Result<Quiesced> quiesce(std::unique_ptr<Console> console, const QuiescePlan& plan,
                         const std::function<bool()>& stop,
                         std::optional<ResumeGuard> guard = std::nullopt);

// Sends the resume inputs; for a game that a crash left quiesced. A game that does not run is
// success.
Result<void> resume_game(Console& console, const std::vector<std::string>& resume);

}  // namespace manman
