#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "archive/frame_reader.h"
#include "archive/index.h"
#include "archive/member.h"
#include "base/progress.h"

namespace manman::archive {

struct ScanOptions {
  int threads = 0;
  // Runs of whole members to read; all when empty. Only with an index.
  std::vector<Range> ranges;
  // Gets the bytes of the whole archive in order. Only without ranges.
  std::function<void(ConstBytes)> on_archive;
  const Progress* progress = nullptr;
};

// Visits the members of an archive, by its index (in parallel, everything checked against it) or,
// without one, as one stream. Without ranges, and when the visitor doesn't end it, every byte of
// the archive has been checked when this succeeds.
Result<void> scan(RandomSource& source, const std::optional<Index>& index,
                  const ScanOptions& options, MemberVisitor& visitor);

}  // namespace manman::archive
