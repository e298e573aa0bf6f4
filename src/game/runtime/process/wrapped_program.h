#pragma once

#include <sys/types.h>

#include "base/file.h"
#include "game/runtime/process/session_files.h"

namespace manman::process {

// The game's process, forked but not yet executing the program, so that it can be written down
// first. Destroyed before execute() has succeeded, it ends without having run anything. For the
// wrapper, which has one thread.
class WrappedProgram {
 public:
  // A child for the session's spec.json: in a process group of its own and in the game's folder,
  // with the session's fifo as input and its log as output.
  static Result<WrappedProgram> fork_stopped(const SessionFiles& files);
  WrappedProgram(WrappedProgram&&) noexcept = default;
  WrappedProgram& operator=(WrappedProgram&&) = delete;
  ~WrappedProgram();

  pid_t pid() const { return pid_; }
  // Lets it execute the program; the error says why it can't be.
  Result<void> execute();
  // The process is the caller's from now on.
  pid_t release();

 private:
  WrappedProgram() = default;

  pid_t pid_ = 0;
  UniqueFd go_;       // a byte: execute; closed: end
  UniqueFd failure_;  // what kept it from executing; closed by a successful execve
  std::string what_;
};

}  // namespace manman::process
