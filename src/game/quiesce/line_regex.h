#pragma once

#include <re2/re2.h>

#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"

namespace manman {

using LineRegex = std::unique_ptr<re2::RE2>;

// A bad expression is kInvalidArgument.
Result<LineRegex> compile_line_regex(const std::string& expression);
bool found_in(std::string_view line, const re2::RE2& regex);

}  // namespace manman
