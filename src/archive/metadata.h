#pragma once

#include <sys/stat.h>

#include "archive/archive.h"
#include "archive/warnings.h"
#include "archive/xattrs.h"

namespace manman::archive {

// Gives files and folders that were unpacked their owners, modes, attributes and times, as far as
// the options want it and the user who runs it may.
class Metadata {
 public:
  // Refusals that leave the contents as they should be are told to `warnings`.
  Metadata(const UnpackOptions& options, Warnings& warnings);

  // With which mode to make a file that set() is called of later: its own where that shows its
  // contents to nobody else meanwhile.
  mode_t first_mode(const Entry& entry, const Xattrs& xattrs) const;
  // Of an open file or folder, which the own user may still write to and is `now` as it is.
  Result<void> set(int fd, const struct stat& now, const Entry& entry, const Xattrs& xattrs) const;
  // Owner and time of something that can't be opened: the symlink, fifo … of this name in a folder.
  Result<void> set_unopened(int folder, const char* name, const Entry& entry) const;

 private:
  const UnpackOptions& options_;
  Warnings& warnings_;
  const bool owners_;  // are set: only root can
  const uid_t own_uid_;
  const gid_t own_gid_;
};

}  // namespace manman::archive
