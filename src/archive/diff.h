#pragma once

#include <functional>
#include <string_view>

#include "archive/archive.h"
#include "base/error.h"
#include "base/stream.h"

namespace manman::archive {

enum class Change {
  kAdded,
  kRemoved,
  kType,      // it is of another kind
  kModified,  // its contents, or where a link leads
  kMetadata,  // its mode, owner or time alone
};
std::string_view to_text(Change change);  // "added", "removed", "type", "modified", "metadata"

struct Difference {
  Change change = Change::kAdded;
  const Entry* before = nullptr;  // null when added
  const Entry* after = nullptr;   // null when removed
};

// Calls visit for every path that is not the same in two archives, in the order of the paths, until
// it returns false. Only the indexes are read; an archive without one is kFailedPrecondition. A
// file of the same size is modified when the hashes of frames that it fills differ, or when they
// can't tell and its time differs; when all frames that hold it agree, it is not. Memory grows with
// the largest file's number of frames alone, so an archive whose names are out of order is
// kUnimplemented.
Result<void> diff(RandomSource& before, RandomSource& after,
                  const std::function<bool(const Difference&)>& visit);

}  // namespace manman::archive
