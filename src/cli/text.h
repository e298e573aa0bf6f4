#pragma once

#include <cstdint>
#include <string>
#include <string_view>

// Values as text for a person.
namespace manman::cli {

std::string format_bytes(uint64_t bytes);       // "512 B", "1.5 MiB"
std::string format_duration(uint64_t seconds);  // "7s", "1m05s", "2h03m"

// Control characters and invalid UTF-8 as \ooo (three octal digits), a backslash doubled: a name
// from an archive or another user can't play with the terminal.
std::string escape(std::string_view text);

bool is_utf8(std::string_view text);
std::string base64(std::string_view bytes);

}  // namespace manman::cli
