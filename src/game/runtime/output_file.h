#pragma once

#include <filesystem>

#include "base/error.h"
#include "base/stream.h"

namespace manman {

// What a game put out, as a runtime keeps it in a file. kNotFound when there is none.
Result<uint64_t> size_of_output(const std::filesystem::path& file);
// From offset, as much as there is and the buffer holds; nothing beyond the end.
Result<size_t> read_from_output(const std::filesystem::path& file, uint64_t offset,
                                MutableBytes buffer);

// When the file takes more than limit bytes on disk, frees all but about the latest half of that.
// Its size and all offsets stay as they are, also for a game that writes to it; what is gone reads
// as zeros. kUnimplemented where the file system can't do that.
Result<void> limit_output(const std::filesystem::path& file, uint64_t limit);

}  // namespace manman
