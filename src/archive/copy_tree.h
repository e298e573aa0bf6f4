#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/progress.h"

namespace manman::archive {

struct CopyOptions {
  // Of a path below the folder: whether it and all below it are left out.
  std::function<bool(const std::string& path, const struct stat& info)> leave_out = nullptr;
  // Told of each folder, "" for itself, as it is opened and before what is in it.
  std::function<void(const std::string& path, const struct stat& info)> entering = nullptr;
  // Only where files share their blocks with the copies; otherwise it is kUnimplemented, and fast.
  // Nothing is in the way in the folder `to`. What changes meanwhile is not warned of unless it
  // vanishes.
  bool only_shared = false;
  int threads = 0;                       // that write; 0: one per core
  std::function<bool()> stop = nullptr;  // ends it with kCancelled
  Progress* progress = nullptr;
};

struct CopyResult {
  uint64_t entries = 0;
  uint64_t data_size_bytes = 0;    // contents of files
  uint64_t shared_size_bytes = 0;  // of that, on blocks that both have until one is written to
  // What is not quite as it was, by name and why: attributes that could not be read or set, files
  // that vanished or changed meanwhile. The first 100; warning_count counts all.
  std::vector<std::string> warnings;
  uint64_t warning_count = 0;
  uint64_t vanished_count = 0;  // of these, what was not there any more when its turn came
};

// Copies what stands in the folder `from` into the folder `to`, which is there. A folder that is in
// both becomes one, and gets the mode, owner, time and attributes of that in `from`; anything else
// whose name is taken is kFailedPrecondition. No file is one with that it was copied from: where
// the file system can, they share blocks (reflinks), else the contents are copied, holes stay
// holes. Hard links of files among what is copied, links, fifos, sockets and devices, modes,
// owners, times and extended attributes are kept; owners and trusted attributes only by root. A
// mount point is kFailedPrecondition, more than there is room for kResourceExhausted. Nothing is
// synced; after an error a part of it is there. Memory is bounded as that of TreeWalker and
// Extractor.
Result<CopyResult> copy_tree(const std::filesystem::path& from, const std::filesystem::path& to,
                             const CopyOptions& options);

}  // namespace manman::archive
