#pragma once

#include <cstdint>
#include <filesystem>

#include "base/compression.h"
#include "base/error.h"
#include "base/progress.h"

namespace manman::archive {

// What a folder holds, by a walk that reads no file: good for a progress bar and for an upper
// bound, not exact while a game writes.
struct DataSize {
  uint64_t file_bytes = 0;       // contents of all files, holes of sparse ones too
  uint64_t allocated_bytes = 0;  // what of them is on the disk
  uint64_t entries = 0;

  // More than an archive of it will have, growth while it is being read included.
  uint64_t archive_upper_bound(ArchiveFormat format) const;
};

// Memory grows only with the depth. What vanishes or can't be read is left out; the folder itself
// missing is kNotFound. Other file systems count only where pack() is to take them in, too.
Result<DataSize> measure(const std::filesystem::path& dir, const Progress& progress,
                         bool cross_file_systems = false);

}  // namespace manman::archive
