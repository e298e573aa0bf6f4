#pragma once

#include <sys/stat.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "archive/archive.h"
#include "base/error.h"
#include "base/file.h"

namespace manman::archive {

// Something in a folder, as it was found.
struct Found {
  std::string path;  // below the folder that is walked; "" for itself
  struct stat info{};
  UniqueFd file;            // open for reading, of a regular file
  int folder = -1;          // open, of a folder that is entered next; the walker's own
  std::string link_target;  // of a symlink

  // What it is as an entry of that path. A special file looks like an empty file.
  Entry entry_as(std::string as) const;
  // Whether something else is mounted here, which is not entered.
  bool is_mount_point() const { return S_ISDIR(info.st_mode) && folder < 0; }
};

struct WalkOptions {
  bool cross_file_systems = false;  // enter what is mounted in the folder
  bool special_files = false;       // visit fifos, sockets and devices instead of warning of them
  bool open_files = true;           // otherwise a regular file is visited without its descriptor
  // Of a path below the folder: whether it and all below it are passed over.
  std::function<bool(const std::string& path, const struct stat& info)> leave_out = nullptr;
};

// Walks a folder depth first, names sorted, parents before their children. Of a folder with more
// than 100,000 names, these are held at a time, and it is read once for each 100,000. Follows no
// symlink, and leaves access times alone where it may. Memory and open files are bounded, however
// deep and wide the tree is.
class TreeWalker {
 public:
  using Visit = std::function<Result<void>(Found)>;
  // Of what is not visited. `changed`: because it changed while the folder was walked.
  using Warn = std::function<void(const std::string& path, std::string_view why, bool changed)>;

  TreeWalker(Visit visit, Warn warn, WalkOptions options);
  TreeWalker(const TreeWalker&) = delete;
  TreeWalker& operator=(const TreeWalker&) = delete;
  ~TreeWalker();
  // kNotFound when dir isn't there. What vanishes while walking is warned of; what can't be read
  // is an error naming it.
  Result<void> walk(const std::string& dir);

 private:
  struct Level;

  Result<void> enter(UniqueFd fd, const struct stat& info, const std::string& name);
  Result<void> leave();
  Result<bool> next_name(std::string& name, unsigned char& type);
  Result<void> load_names(Level& level);
  // `type` is what the folder's listing says of it, DT_UNKNOWN if nothing.
  Result<void> take(const std::string& name, unsigned char type);
  bool is_elsewhere(int fd, const struct stat& info) const;
  Result<void> take_mount_point(const std::string& path, const struct stat& info);
  Result<void> take_special(const std::string& path, const struct stat& info);
  Result<void> take_folder(const std::string& name, const struct stat& info);
  Result<void> take_file(const std::string& name);
  Result<void> take_symlink(const std::string& name, const struct stat& info);
  std::string child_path(const std::string& name) const;
  std::string shown(const std::string& path) const { return root_ + "/" + path; }

  Visit visit_;
  Warn warn_;
  const WalkOptions options_;
  std::string root_;
  dev_t device_ = 0;
  std::string path_;  // of the folder at the top of the stack
  std::vector<std::unique_ptr<Level>> levels_;
};

}  // namespace manman::archive
