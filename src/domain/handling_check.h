#pragma once

#include <string_view>

#include "base/error.h"
#include "domain/handling.h"

namespace manman {

// Fills in what a handling leaves open (grace and timeouts: 30 s, until it is
// ready: 120 s) and checks the rest: lines for
// the console, expressions, patterns, ranges, and what goes together. kInvalidArgument begins with
// the field's path: "quiesce[0].confirm_regex: missing )".
Result<void> complete_and_check(Handling& handling);

// Whether a line of gitignore(5) can match anything below game/.
Result<void> check_pattern(std::string_view field, std::string_view pattern);

}  // namespace manman
