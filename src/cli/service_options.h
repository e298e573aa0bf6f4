#pragma once

#include "base/error.h"
#include "cli/cli.h"

namespace manman::cli {

// Which process the settings are for.
enum class Role { kServe, kApi, kHost, kMigrate };

// Fills in what was left out and checks every setting that the role has. What `serve` is not told
// it keeps under its state folder ({state}/store and so on, with absolute paths); the others must
// be told where database, bus and store are. store becomes s3://BUCKET or an absolute path. A bad
// setting is kInvalidArgument naming its flag and variable, and what it may be.
Result<ServiceOptions> complete(Role role, ServiceOptions options);

}  // namespace manman::cli
