#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/error.h"

namespace manman {

// Runs a program as a child of this process, with its default signals. Its descriptors 0, 1, 2, …
// are copies of `fds`, and it has no others; -1 stands for /dev/null. Of our environment, which
// holds secrets, it has a way to its libraries alone. `own_session`: what ends our group does not
// end it.
Result<pid_t> spawn(std::vector<std::string> program, const std::vector<int>& fds,
                    bool own_session);

}  // namespace manman
