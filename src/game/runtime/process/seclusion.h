#pragma once

#include <filesystem>

#include "base/error.h"
#include "game/runtime/runtime.h"

namespace manman::process {

// Has the calling process, which must have one thread, leave the network, the shared memory and the
// mounts of the machine, as Apart says; `own` is its GSC directory. What it starts is there too,
// and in a PID namespace besides. After an error it must not go on: it may be half way. Needs
// Linux 5.12.
Result<void> seclude(const Apart& apart, const std::filesystem::path& own);

// Then: goes on in a child that is in the PID namespace, where it sees and signals none but its
// own. Those that stand by outside, without any file, end as it does and with its exit code; when
// they are ended, all in the namespace is.
Result<void> go_on_inside();

}  // namespace manman::process
