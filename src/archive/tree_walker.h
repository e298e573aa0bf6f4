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

// An open folder, for as long as anybody holds it.
using OpenFolder = std::shared_ptr<const UniqueFd>;

// Something in a folder, as it was found.
struct Found {
  std::string path;  // below the folder that is walked; "" for itself
  struct stat info{};
  UniqueFd file = {};            // open for reading, of a regular file
  OpenFolder folder = {};        // of a folder that is entered next
  OpenFolder parent = {};        // of a regular file that is only named: the folder that it is in
  std::string link_target = {};  // of a symlink

  // The last part of its path.
  const char* name() const { return path.c_str() + path.rfind('/') + 1; }
  // What it is as an entry of that path. A special file looks like an empty file.
  Entry entry_as(std::string as) const;
  // Whether something else is mounted here, which is not entered.
  bool is_mount_point() const { return S_ISDIR(info.st_mode) && !folder; }
};

// What is done about a regular file before it is visited.
enum class LookAtFiles {
  kOpen,  // it is opened, and looked at as it was opened
  kStat,  // it is looked at only
  kName,  // nothing: of its info there is the type only, as the folder's listing said it
};

// Opens a regular file and looks at it, into found.file and found.info. What to warn of if it isn't
// there, or is no such file by now; "" if all is well. Any thread.
Result<std::string_view> open_file(int parent, const char* name, const std::string& shown,
                                   Found& found);

struct WalkOptions {
  bool cross_file_systems = false;  // enter what is mounted in the folder
  bool special_files = false;       // visit fifos, sockets and devices instead of warning of them
  LookAtFiles files = LookAtFiles::kOpen;
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

  Result<void> enter(const OpenFolder& fd, const struct stat& info, const std::string& name);
  Result<void> leave();
  Result<bool> next_name(std::string& name, unsigned char& type);
  Result<void> load_names(Level& level);
  // `type` is what the folder's listing says of it, DT_UNKNOWN if nothing.
  Result<void> take(const std::string& name, unsigned char type);
  bool is_elsewhere(int fd, const struct stat& info) const;
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
