#pragma once

#include <sys/stat.h>

#include <filesystem>
#include <string>

#include "base/error.h"
#include "examine/findings.h"
#include "live/scratch.h"

namespace manman::examine {

// Whether a database of SQLite's is whole in its structure: every page, index and row. What a crash
// left beside it (-wal, -journal) is recovered in a copy, so that what counts is what a game would
// find. Nothing of its schema is run. `fd` is the only descriptor of the file in this process, and
// `folder` that which it stands in as `name`.
Result<void> examine_database(int fd, const struct stat& info, int folder, const std::string& name,
                              const std::filesystem::path& scratch, const Progress* progress,
                              Findings& findings);

}  // namespace manman::examine
