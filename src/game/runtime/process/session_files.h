#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "game/runtime/process/proc.h"
#include "game/runtime/runtime.h"

// What the process runtime keeps of a session in {gsc}/session-{id}/:
//   lock        held by the wrapper (and by start()) as long as it lives
//   spec.json   what to run
//   stdin       the fifo that is the game's standard input
//   output.log  its standard output and error
//   wrapper.log what the wrapper itself has to say
//   state.json  which processes run; there from just before the game's program is executed
//   exit.json   how the game ended
namespace manman::process {

struct SessionFiles {
  std::filesystem::path dir;  // absolute

  std::filesystem::path game_dir() const { return dir.parent_path() / "game"; }
  std::filesystem::path lock() const { return dir / "lock"; }
  std::filesystem::path spec() const { return dir / "spec.json"; }
  std::filesystem::path input() const { return dir / "stdin"; }
  std::filesystem::path output() const { return dir / "output.log"; }
  std::filesystem::path wrapper_log() const { return dir / "wrapper.log"; }
  std::filesystem::path state() const { return dir / "state.json"; }
  std::filesystem::path exit() const { return dir / "exit.json"; }
};

struct Spec {
  std::vector<std::string> argv;
  std::map<std::string, std::string> env;  // all of it
  std::optional<Apart> apart;
};

struct Running {
  std::string boot_id;
  Identity wrapper;
  Identity game;  // leads the process group of the game; its session is led by the wrapper
};

struct Exit {
  int exit_code = 0;  // 128 + signal when a signal ended it
  int signal = 0;
  int64_t ended_at = 0;  // Unix seconds
};

// Written durably, mode 0600. Strings that are not UTF-8 are kInvalidArgument.
Result<void> write_record(const SessionFiles& files, const Spec& spec);
Result<void> write_record(const SessionFiles& files, const Running& running);
Result<void> write_record(const SessionFiles& files, const Exit& exit);

// A file that does not hold what it should is kDataLoss naming it.
Result<Spec> read_spec(const SessionFiles& files);
// Nothing when the file is not there.
Result<std::optional<Running>> read_running(const SessionFiles& files);
Result<std::optional<Exit>> read_exit(const SessionFiles& files);

// An open file description lock of files.lock(): it lasts until the last copy of its descriptor is
// closed, in this process and those that inherit it.
Result<UniqueFd> open_lock(const SessionFiles& files);
// False when another process has it.
Result<bool> try_lock(const UniqueFd& lock);
// Whether someone has it; a file that is not there is free.
Result<bool> is_locked(const SessionFiles& files);

}  // namespace manman::process
