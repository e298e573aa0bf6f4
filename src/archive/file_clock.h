#pragma once

#include <ctime>

#include "base/error.h"

namespace manman::archive {

// The present by the clock that stamps files in an open folder, as of the last time it ticked
// (some clocks tick every 10 ms).
Result<timespec> file_clock_now(int folder);

bool before(const timespec& a, const timespec& b);

}  // namespace manman::archive
