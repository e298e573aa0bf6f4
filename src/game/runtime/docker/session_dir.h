#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "base/error.h"
#include "game/runtime/process/session_files.h"
#include "game/runtime/runtime.h"

namespace manman::docker {

// What the Docker runtime keeps of a session in {gsc}/session-{id}/:
//   container.json  which container; there from just before it is started
//   output.log      its standard output and error
//   cursor.json     where in the container's log output.log begins and goes on (see OutputLog)
//   exit.json       how the game ended, as of a process
struct SessionDir {
  std::filesystem::path dir;  // absolute

  std::filesystem::path container() const { return dir / "container.json"; }
  std::filesystem::path output() const { return dir / "output.log"; }
  std::filesystem::path cursor() const { return dir / "cursor.json"; }
  process::SessionFiles process_files() const { return {dir}; }
};

Result<SessionDir> session_dir(const GameInstance& game);

// The container's id; nothing when the file is not there. A damaged one is kDataLoss naming it.
Result<std::optional<std::string>> read_container_id(const SessionDir& files);
Result<void> write_container_id(const SessionDir& files, const std::string& id,
                                const std::string& image);

}  // namespace manman::docker
