#pragma once

#include "archive/archive_input.h"

namespace manman::archive {

// Whether an archive that begins so is a zstd stream: a frame, or a skippable one.
bool is_zstd(ConstBytes start);

// Decompresses the frames of a zstd stream, one after the other. Memory: the largest window, at
// most 128 MiB; kUnimplemented for a larger one.
Result<void> read_zstd(ArchiveInput& input, const SequentialReading& reading);

}  // namespace manman::archive
