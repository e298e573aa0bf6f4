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
// exchange: kUnimplemented, nothing changed.
Result<void> swap_in(const std::filesystem::path& staged, const std::filesystem::path& live);

// What tells one folder from another across renames: "device:inode". Missing is kNotFound.
Result<std::string> folder_identity(const std::filesystem::path& dir);

}  // namespace manman::archive
