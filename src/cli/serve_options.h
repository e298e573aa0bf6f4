#pragma once

#include "base/error.h"
#include "cli/cli.h"

namespace manman::cli {

// Fills in what was left out ({state}/store and so on, with absolute paths) and checks every
// setting. A bad one is kInvalidArgument naming its flag and variable, and what it may be.
Result<ServeOptions> complete(ServeOptions options);

}  // namespace manman::cli
