#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <ctime>
#include <filesystem>
#include <functional>
#include <string>
#include <unordered_map>

#include "base/error.h"
#include "base/file.h"

namespace manman::live {

// A clone of a folder, file by file on the same blocks (reflinks), in two passes: all of it while
// somebody may still write, and once nobody does, what has changed since. So the second, for which
// a game is held, takes a look at each file and little more.
//
// What a file holds is known from its change time, which nobody can set, beside its size and time
// as the clone has them; that the folder it stands in is the one that was cloned, from its inode.
class TreeClone {
 public:
  // Of the folder `from` as `to`, which is not there; the folder of `to` is, on the same file
  // system, and nobody else's. `threads` clone; 0: one per core. `stop` ends it with kCancelled.
  TreeClone(std::filesystem::path from, std::filesystem::path to, int threads,
            std::function<bool()> stop);

  // While somebody may write. Nothing depends on it but how long make() takes.
  Result<void> prepare();
  // While nobody writes: then `to` is the same as `from`. False where that can't be, and something
  // may be left: no reflinks, something mounted below, a file that can't be cloned.
  Result<bool> make();

 private:
  // A folder as it was when the first pass looked into it.
  using Folders = std::unordered_map<std::string, ino_t>;

  Result<bool> copy_all(bool prepares);
  Result<bool> update();
  Result<void> set_aside();
  Result<bool> keeps(const std::string& path, const struct stat& info);
  Result<void> meet_folder(const std::string& path, const struct stat& info);
  Result<void> remove_gone(const std::string& folder);
  void note_folder(const std::string& path, const struct stat& info);
  bool is_fresh(const struct stat& info) const;

  const std::filesystem::path from_;
  const std::filesystem::path to_;
  const int threads_;
  const std::function<bool()> stop_;
  bool prepared_ = false;
  timespec since_{};  // before the first pass, by the clock that stamps the files
  Folders folders_;
  size_t noted_bytes_ = 0;
  UniqueFd source_;  // the two folders, during the second pass
  UniqueFd clone_;
};

}  // namespace manman::live
