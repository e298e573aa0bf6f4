#pragma once

#include "base/error.h"
#include "base/stream.h"

namespace manman::archive {

// What reopen_deflate() may add.
inline constexpr size_t kMaxFlushSize = 5;

// Makes a whole deflate stream one that may go on: its last block is no longer marked as the last,
// and an empty stored block behind it (a flush) ends it on a byte boundary. The stream is the first
// `size` bytes of buffer, which has kMaxFlushSize more, and must decompress to raw. Returns its new
// size.
Result<size_t> reopen_deflate(ConstBytes raw, MutableBytes buffer, size_t size);

}  // namespace manman::archive
