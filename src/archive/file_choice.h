#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <optional>
#include <string>

#include "base/error.h"
#include "base/file.h"

namespace manman::archive {

// A regular file that pack() came upon, before anything of it is read.
struct FileSeen {
  const std::string& path;  // below the folder that is packed
  int fd;                   // open for reading, until the answer is there at least
  const struct stat& info;
  // It is in the archive under another name already, and this one becomes a hard link to that:
  // of the answer only `leave_out` counts.
  bool is_known = false;
};

// What of it goes into the archive. As it stands here: the file as it is.
struct FileTaking {
  bool leave_out = false;
  // Only so many bytes of it, which it has; what comes after them may change as it likes.
  std::optional<uint64_t> first_bytes = std::nullopt;
  // Contents and size are those of this open file, all else is that of the file itself.
  UniqueFd instead = {};
  // All of `instead` is read, and it is closed, before the next file is asked for.
  bool at_once = false;
};

// Asked by pack() for each regular file that its walk comes upon, in the walk's order (depth first,
// names sorted by their bytes), by one thread. An error fails the pack; it should name the file.
class FileChoice {
 public:
  virtual ~FileChoice() = default;
  virtual Result<FileTaking> choose(const FileSeen& file) = 0;
};

}  // namespace manman::archive
