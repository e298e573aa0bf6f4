#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"

namespace manman::cli {

// "90s", "10m", "1h30m", "2d": seconds. kInvalidArgument naming the option.
Result<int32_t> parse_duration(const std::string& option, const std::string& text);

}  // namespace manman::cli
