#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "domain/catalog.h"
#include "domain/field_checks.h"

// Checks of single fields of a request. Each failure is kInvalidArgument and begins with the
// field's name: "session_id: must be positive".
namespace manman::api {

Result<void> check_id(std::string_view field, int64_t id);
// 0 stands for "not set".
Result<void> check_optional_id(std::string_view field, int64_t id);

// Part of a folder's name: 1 to 32 of a-z A-Z 0-9 - _.
Result<void> check_environment(std::string_view field, std::string_view text);

// At most so many bytes of UTF-8, and "…" where some are left out.
std::string shortened(std::string text, size_t max_bytes);

}  // namespace manman::api
