#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace manman::archive {

// A path without "./" parts, doubled slashes and a slash at its end; "." for the root itself. A
// leading slash and ".." stay, for check_path to refuse.
std::string clean_path(std::string_view path);

// kInvalidArgument, naming the path, unless it is relative and stays below where it starts: no
// leading slash, no "..", no NUL, no part over 255 bytes.
Result<void> check_path(std::string_view path);

// Whether path is `folder` or stands below it. "" and "." are above everything.
bool is_at_or_below(std::string_view path, std::string_view folder);

// The path with the first folder `prefix` taken off, "." for that folder itself; kInvalidArgument
// when the path stands elsewhere. With an empty prefix the path itself.
Result<std::string> strip_prefix(std::string_view path, std::string_view prefix);

}  // namespace manman::archive
