#pragma once

#include <filesystem>

#include "base/error.h"
#include "game/runtime/runtime.h"

namespace manman::process {

// Has the calling process, which must have one thread, leave the network, the shared memory and the
// mounts of the machine, as Apart says; `own` is its GSC directory. What it starts is there too.
// After an error it must not go on: it may be half way. Needs Linux 5.12.
Result<void> seclude(const Apart& apart, const std::filesystem::path& own);

}  // namespace manman::process
