#pragma once

#include <memory>

#include "base/stream.h"

namespace manman {

struct ReadAheadOptions {
  size_t chunk_bytes = size_t{4} << 20;  // of one read of the source
  int reads_at_once = 4;
};

// The same bytes, for one who reads them in order, on one thread or several that are near each
// other: they are read in large chunks, several at once, before they are asked for. Who reads here
// and there gets chunks for nothing. Takes 2 * reads_at_once + 2 chunks of memory at most, and one
// more for each thread that reads.
std::unique_ptr<RandomSource> read_ahead(std::unique_ptr<RandomSource> source,
                                         const ReadAheadOptions& options);

}  // namespace manman
