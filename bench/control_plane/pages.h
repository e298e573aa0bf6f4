#pragma once

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "manman/v1/manman.grpc.pb.h"

namespace manman::bench {

// Walks through the list of all backups, and through that of one SGC, and then times pages of both:
// {"rows": …, "pages": {"all, first page": Times, …}}. kDataLoss when a list has not each of its
// `rows` backups once, newest first.
Result<nlohmann::json> measure_pages(v1::ManManAPI::Stub& api, int64_t rows, int rounds);

}  // namespace manman::bench
