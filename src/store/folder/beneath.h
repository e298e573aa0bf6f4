#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/file.h"

// Names below an open folder, reached without following any symlink, so that nothing that stands
// in a store's folder leads out of it.
namespace manman::beneath {

// open(2) of a relative path below `dir`. ENOENT and ENOTDIR are kNotFound; a symlink on the way
// is kFailedPrecondition. `what` names the path in errors.
Result<UniqueFd> open(int dir, std::string_view path, int flags, std::string_view what);

// The folder `path` below `dir` ("" is dir itself), opened for fsync and *at calls. With `make`,
// missing levels are made and each is fsynced into its parent.
Result<UniqueFd> open_dir(int dir, std::string_view path, bool make, std::string_view what);

// Folder part and name of a key: "a/b/c" is "a/b" and "c"; "c" is "" and "c".
struct Split {
  std::string_view dir;
  std::string_view name;
};
Split split(std::string_view key);

}  // namespace manman::beneath
