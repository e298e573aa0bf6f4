#pragma once

#include <filesystem>
#include <string>
#include <utility>

#include "base/error.h"
#include "base/file.h"

namespace manman::archive {

// Brings to the disk what is written into a folder from now on, with all else of its file system
// (syncfs). It is opened before the writing, since an error of writing back is told to those who
// had the file system open then, and to one of all who come later.
class TreeSync {
 public:
  static Result<TreeSync> open(const std::filesystem::path& dir);
  // Returns once all of it is on the disk.
  Result<void> finish() const;

 private:
  TreeSync(UniqueFd dir, std::string name) : dir_(std::move(dir)), name_(std::move(name)) {}

  UniqueFd dir_;
  std::string name_;
};

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
  // Returns once all that was written into it is on the disk.
  Result<void> sync() const { return sync_.finish(); }
  // From now on the folder stays.
  void release() { path_.clear(); }

 private:
  Staging(std::filesystem::path path, TreeSync sync)
      : path_(std::move(path)), sync_(std::move(sync)) {}

  std::filesystem::path path_;
  TreeSync sync_;
};

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
