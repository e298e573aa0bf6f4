#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/file.h"

namespace manman::archive {

// A folder that is unpacked into. Reaches every path from the folder's own descriptor, part by
// part and through no symlink, so nothing outside it can be touched, whatever stands in it.
class TargetTree {
 public:
  static Result<TargetTree> open(const std::string& dir);

  int root() const { return root_->get(); }

  // A place in a folder, which stays open as long as the place is there. Any thread may use it.
  struct Place {
    std::shared_ptr<const UniqueFd> open;
    std::string name;
    int folder() const { return open->get(); }
  };
  // The place of a path below the root, checked before by check_path(). Missing folders on the way
  // are made, with mode 0755, unless `make_folders` is false. What stands on the way and is not a
  // folder is kInvalidArgument.
  Result<Place> locate(std::string_view path, bool make_folders = true);

  // Opens the folder at path, "." being the root.
  Result<UniqueFd> open_folder(std::string_view path);

  // Makes place free for something new: a file or link that stands there is removed. A folder
  // there is kInvalidArgument.
  static Result<void> clear(const Place& place, std::string_view path);

 private:
  explicit TargetTree(UniqueFd root) : root_(std::make_shared<UniqueFd>(std::move(root))) {}
  Result<UniqueFd> walk(std::string_view path, bool make_folders);

  std::shared_ptr<const UniqueFd> root_;
  // The folder that was asked for last: entries come folder by folder.
  std::string cached_path_;
  std::shared_ptr<const UniqueFd> cached_;
};

}  // namespace manman::archive
