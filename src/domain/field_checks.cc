#include "domain/field_checks.h"

#include <algorithm>
#include <optional>
#include <string>

namespace manman {
namespace {

constexpr size_t kMaxNameCharacters = 100;
constexpr size_t kMaxLineBytes = 1000;

// The characters of UTF-8 text; nothing when it is not UTF-8.
std::optional<std::u32string> characters(std::string_view text) {
  std::u32string all;
  for (size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i++]);
    int more = 0;
    char32_t value = lead;
    if (lead >= 0xF0 && lead < 0xF8) {
      more = 3;
      value = lead & 0x07U;
    } else if (lead >= 0xE0) {
      more = 2;
      value = lead & 0x0FU;
    } else if (lead >= 0xC0) {
      more = 1;
      value = lead & 0x1FU;
    }
    if ((more == 0 && lead >= 0x80) || lead >= 0xF8) return std::nullopt;
    for (int n = 0; n < more; n++) {
      if (i == text.size()) return std::nullopt;
      const auto next = static_cast<unsigned char>(text[i++]);
      if ((next & 0xC0U) != 0x80) return std::nullopt;
      value = value << 6 | (next & 0x3FU);
    }
    constexpr char32_t kSmallest[] = {0, 0x80, 0x800, 0x10000};
    if (value < kSmallest[more] || value > 0x10FFFF || (value >= 0xD800 && value < 0xE000))
      return std::nullopt;
    all += value;
  }
  return all;
}

bool is_control(char32_t c) {
  return c < 0x20 || (c >= 0x7F && c < 0xA0);
}

Result<std::u32string> decoded(std::string_view field, std::string_view text) {
  auto all = characters(text);
  if (!all) return bad_field(field, "must be UTF-8");
  return *std::move(all);
}

}  // namespace

std::unexpected<Error> bad_field(std::string_view field, std::string_view why) {
  return fail(Code::kInvalidArgument, std::string(field) + ": " + std::string(why));
}

Result<void> check_name(std::string_view field, std::string_view text) {
  if (text.empty() || text.size() > 4 * kMaxNameCharacters)
    return bad_field(field, "must be 1 to 100 characters");
  const auto all = TRY(decoded(field, text));
  if (all.size() > kMaxNameCharacters) return bad_field(field, "must be 1 to 100 characters");
  if (std::ranges::any_of(all, is_control))
    return bad_field(field, "must not hold control characters");
  if (std::ranges::all_of(all, [](char32_t c) { return c == ' ' || c == 0xA0; }))
    return bad_field(field, "must not be blank");
  return {};
}

Result<void> check_text(std::string_view field, std::string_view text, size_t max_bytes) {
  if (text.size() > max_bytes)
    return bad_field(field, "must be at most " + std::to_string(max_bytes) + " bytes");
  const auto all = TRY(decoded(field, text));
  if (std::ranges::any_of(all, [](char32_t c) { return is_control(c) && c != '\n' && c != '\t'; }))
    return bad_field(field, "must not hold control characters");
  return {};
}

Result<void> check_line(std::string_view field, std::string_view text) {
  TRY(check_text(field, text, kMaxLineBytes));
  if (text.find('\n') != std::string_view::npos) return bad_field(field, "must be a single line");
  return {};
}

}  // namespace manman
