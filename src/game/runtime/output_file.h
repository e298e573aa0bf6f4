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

}  // namespace manman
