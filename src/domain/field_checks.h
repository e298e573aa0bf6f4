#pragma once

#include <cstddef>
#include <string_view>

#include "base/error.h"

// Checks of texts that come from outside. Each failure is kInvalidArgument and begins with the
// field's name: "name: must not be blank".
namespace manman {

std::unexpected<Error> bad_field(std::string_view field, std::string_view why);

// 1 to 100 characters of printable UTF-8.
Result<void> check_name(std::string_view field, std::string_view text);
// At most max_bytes of UTF-8; no control characters but newline and tab.
Result<void> check_text(std::string_view field, std::string_view text, size_t max_bytes);
// One line, at most 1000 bytes: as check_text, without newline.
Result<void> check_line(std::string_view field, std::string_view text);

}  // namespace manman
