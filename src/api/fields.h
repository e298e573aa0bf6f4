#pragma once

#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "domain/catalog.h"

// Checks of single fields of a request. Each failure is kInvalidArgument and begins with the
// field's name: "session_id: must be positive".
namespace manman::api {

std::unexpected<Error> bad_field(std::string_view field, std::string_view why);

Result<void> check_id(std::string_view field, int64_t id);
// 0 stands for "not set".
Result<void> check_optional_id(std::string_view field, int64_t id);

// 1 to 100 characters of printable UTF-8.
Result<void> check_name(std::string_view field, std::string_view text);
// At most max_bytes of UTF-8; no control characters but newline and tab.
Result<void> check_text(std::string_view field, std::string_view text, size_t max_bytes);
// One line for a game's console: as check_text, without newline.
Result<void> check_line(std::string_view field, std::string_view text);
// Part of a folder's name: 1 to 32 of a-z A-Z 0-9 - _.
Result<void> check_environment(std::string_view field, std::string_view text);

}  // namespace manman::api
