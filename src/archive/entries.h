#pragma once

#include <functional>
#include <optional>

#include "archive/format.h"
#include "archive/index.h"
#include "base/progress.h"

namespace manman::archive {

// Calls visit for every entry in order until it returns false: from the index, or by reading the
// whole archive where there is none.
Result<void> for_each_entry(RandomSource& source, const std::optional<Index>& index,
                            const Progress* progress,
                            const std::function<Result<bool>(const format::EntryRecord&)>& visit);

}  // namespace manman::archive
