#pragma once

#include <functional>

#include "base/progress.h"
#include "base/stream.h"

namespace manman::archive {

// Reads an archive that has no index from its beginning: .tar.gz (of one member or several, zeros
// behind allowed), .tar.zst (any frames, windows up to 128 MiB) or plain .tar.
struct SequentialReading {
  // Gets the tar stream piece by piece; false ends the reading.
  std::function<Result<bool>(ConstBytes)> on_stream;
  // Gets the archive's own bytes in order, all of them when the reading isn't ended early. May be
  // empty.
  std::function<void(ConstBytes)> on_archive;
  const Progress* progress = nullptr;
};

// kDataLoss, with the place, for damage, for an archive cut short, and for one of ours whose index
// is gone.
Result<void> read_sequentially(RandomSource& source, const SequentialReading& reading);

}  // namespace manman::archive
