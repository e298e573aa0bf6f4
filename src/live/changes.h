#pragma once

#include <cstdint>
#include <ctime>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/error.h"

namespace manman::live {

// A point in time by the clock that stamps files on one file system.
struct Moment {
  timespec time{};
};

// The present in the folder `dir`, which must be writable: a file is made there, and removed.
Result<Moment> moment_now(const std::filesystem::path& dir);

// The first 100 paths below the folder, "." for itself; `count` counts all.
struct Changes {
  std::vector<std::string> paths;
  uint64_t count = 0;
};

// What was written to in a folder since a moment of the same file system: files, links and folders
// whose contents, names or attributes changed. Rather one too many than one too few: what was
// written right before the moment may be among them. Looks at no file's contents and opens none.
// `leave_out` as of PackOptions.
Result<Changes> changed_since(const std::filesystem::path& dir, const Moment& moment,
                              const std::vector<std::string>& leave_out,
                              const std::function<bool()>& stop = nullptr);

}  // namespace manman::live
