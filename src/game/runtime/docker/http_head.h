#pragma once

#include <optional>
#include <string_view>

#include "base/error.h"

namespace manman::docker {

struct HttpHead {
  int status = 0;
  size_t size_bytes = 0;  // the body, or the stream of another protocol, begins behind it
};

inline constexpr size_t kMaxHttpHeadBytes = 16U << 10;

// The head of an HTTP/1 answer at the beginning of what was received; nothing while it is not
// complete. What can't become one is kDataLoss.
Result<std::optional<HttpHead>> parse_http_head(std::string_view received);

}  // namespace manman::docker
