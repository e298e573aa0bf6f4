#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace manman::api {

// Splits text as a POSIX shell splits words: blanks between them, '…' and "…" quote, a backslash
// quotes one character. Nothing is expanded. A quote that does not end, or a backslash at the
// end, is kInvalidArgument.
Result<std::vector<std::string>> split_shell_words(std::string_view text);

}  // namespace manman::api
