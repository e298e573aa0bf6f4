#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "game/runtime/runtime.h"

namespace manman::host {

// The GSC directory of one SGC on this machine and what stands in it:
//   game/                 the save data
//   session-{id}/         what the runtime keeps of one execution
//   restore-{id}/         staging of a restore; never the only copy of anything
//   replaced-{id}/        what a restore replaced; replaced-{id}.since says since when it is there
//   .snapshot-{id}/       what a backup under way reads instead of game/
//   .trash-{id}/          on its way out
struct GscDir {
  int64_t sgc_id = 0;
  std::filesystem::path root;

  std::filesystem::path game() const { return root / "game"; }
  std::filesystem::path session(int64_t session_id) const { return named("session-", session_id); }
  std::filesystem::path staging(int64_t session_id) const { return named("restore-", session_id); }
  std::filesystem::path replaced(int64_t session_id) const {
    return named("replaced-", session_id);
  }
  std::filesystem::path replaced_since(int64_t session_id) const {
    return root / ("replaced-" + std::to_string(session_id) + ".since");
  }
  std::filesystem::path snapshot(int64_t backup_id) const { return named(".snapshot-", backup_id); }
  std::filesystem::path trash(int64_t session_id) const { return named(".trash-", session_id); }
  GameInstance instance(int64_t session_id) const { return {session_id, sgc_id, root}; }

  // Makes the directory when it is missing, closed to others (mode 0750).
  Result<void> ensure() const;

 private:
  std::filesystem::path named(const char* prefix, int64_t session_id) const {
    return root / (prefix + std::to_string(session_id));
  }
};

// {data_dir}/gsc-{environment}-{sgc_id}
GscDir gsc_dir(const std::filesystem::path& data_dir, const std::string& environment,
               int64_t sgc_id);

// The environment becomes part of a folder's name, so it must be a plain word; kInvalidArgument
// otherwise.
Result<void> check_environment(const std::string& environment);

// A GSC directory that stands on the disk, and the environment in its name.
struct FoundGsc {
  GscDir gsc;
  std::string environment;
};
// All of them in data_dir, in no certain order.
Result<std::vector<FoundGsc>> find_gsc_dirs(const std::filesystem::path& data_dir);
// The names in a folder, in no certain order.
Result<std::vector<std::string>> folder_names(const std::filesystem::path& dir);
// {prefix}{id} → id; nothing for other names.
std::optional<int64_t> parse_numbered(const std::string& name, const std::string& prefix);

// Whether a folder (not a symlink) of that name is there.
Result<bool> folder_exists(const std::filesystem::path& path);

}  // namespace manman::host
