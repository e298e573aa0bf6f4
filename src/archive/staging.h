#pragma once

#include <filesystem>

#include "base/error.h"

namespace manman::archive {

// A folder that is filled beside the live one and then takes its place. Removed, with all in it,
// when destroyed before release().
class Staging {
 public:
  // Makes {path}/ new; one that a crash left there is removed first.
  static Result<Staging> create(const std::filesystem::path& path);
  Staging(Staging&& other) noexcept;
  Staging& operator=(Staging&&) = delete;
  ~Staging();

  const std::filesystem::path& path() const { return path_; }
  // From now on the folder stays.
  void release() { path_.clear(); }

 private:
  explicit Staging(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

// All data of the file system that holds dir to the disk (syncfs).
Result<void> sync_tree(const std::filesystem::path& dir);

// Exchanges two folders in one atomic step (renameat2, RENAME_EXCHANGE), or renames `staged` to
// `live` when there is no `live` yet; both parents are fsynced. On a file system that can't
// exchange: kUnimplemented; where `live` is there and is not a folder: kFailedPrecondition; in both
// nothing is changed. An error of the last step, the fsync, comes when the swap has been done:
// folder_identity() tells.
Result<void> swap_in(const std::filesystem::path& staged, const std::filesystem::path& live);

// What tells one folder from another of the same file system, across renames and reboots:
// "inode:birth time". The device is left out, since many file systems get another number at every
// mount. Missing is kNotFound; a symlink is not followed.
Result<std::string> folder_identity(const std::filesystem::path& dir);

}  // namespace manman::archive
