#pragma once

#include "base/error.h"
#include "cli/cli.h"

namespace manman::cli {

// The id by which the API knows this machine: the same name is the same id. An API that is away is
// asked again, and said so in the log, for options.api_wait_seconds; but where the machine was
// registered before, its id is taken from {data_dir}/server.json at once, so that a host comes
// back, with its games, while its API is down. Waiting ends when the user interrupts.
Result<int64_t> register_server(const ServiceOptions& options);

}  // namespace manman::cli
