#pragma once

#include <cstdint>
#include <optional>

#include "base/error.h"
#include "cli/cli.h"

namespace manman::cli {

// The id by which this machine was known last, under its present name and environment; it stands in
// {data_dir}/server.json. A damaged file is as good as none.
std::optional<int64_t> remembered_server(const ServiceOptions& options);
// Durable when it returns.
Result<void> remember_server(const ServiceOptions& options, int64_t server_id);

// The id by which the API knows this machine, remembered from now on: the same name is the same id.
// While the API is away it is the remembered one, so that a host comes back without its API; where
// there is none the error is retryable.
Result<int64_t> register_server(const ServiceOptions& options);

}  // namespace manman::cli
