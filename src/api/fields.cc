#include "api/fields.h"

#include <algorithm>

namespace manman::api {
namespace {

constexpr size_t kMaxEnvironment = 32;

}  // namespace

Result<void> check_id(std::string_view field, int64_t id) {
  if (id <= 0) return bad_field(field, "must be positive");
  return {};
}

Result<void> check_optional_id(std::string_view field, int64_t id) {
  if (id < 0) return bad_field(field, "must not be negative");
  return {};
}

Result<void> check_environment(std::string_view field, std::string_view text) {
  const bool good =
      !text.empty() && text.size() <= kMaxEnvironment && std::ranges::all_of(text, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '-' || c == '_';
      });
  if (!good) return bad_field(field, "must be 1 to 32 letters, digits, '-' or '_'");
  return {};
}

std::string shortened(std::string text, size_t max_bytes) {
  if (text.size() <= max_bytes) return text;
  size_t end = max_bytes;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80) end--;
  return text.substr(0, end) + "…";
}

}  // namespace manman::api
