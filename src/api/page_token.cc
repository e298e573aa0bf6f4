#include "api/page_token.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace manman::api {
namespace {

constexpr std::string_view kVersion = "1";
constexpr int kDefaultSize = 50;
constexpr int kMaxSize = 100;
constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

std::string encode(std::string_view bytes) {
  std::string text;
  uint32_t bits = 0;
  int held = 0;
  for (const char byte : bytes) {
    bits = bits << 8 | static_cast<unsigned char>(byte);
    for (held += 8; held >= 6; held -= 6) text += kAlphabet[bits >> (held - 6) & 63];
  }
  if (held > 0) text += kAlphabet[bits << (6 - held) & 63];
  return text;
}

std::optional<std::string> decode(std::string_view text) {
  std::string bytes;
  uint32_t bits = 0;
  int held = 0;
  for (const char letter : text) {
    const size_t value = kAlphabet.find(letter);
    if (value == std::string_view::npos) return std::nullopt;
    bits = bits << 6 | static_cast<uint32_t>(value);
    held += 6;
    if (held >= 8) {
      held -= 8;
      bytes += static_cast<char>(bits >> held & 255);
    }
  }
  return bytes;
}

}  // namespace

std::string page_token(std::string_view list, int64_t last_id) {
  return encode(std::string(kVersion) + ":" + std::string(list) + ":" + std::to_string(last_id));
}

Result<db::Page> page_from(std::string_view list, int32_t size, std::string_view token) {
  if (size < 0) return fail(Code::kInvalidArgument, "page_size: must not be negative");
  db::Page page{.size = size == 0 ? kDefaultSize : std::min(size, kMaxSize)};
  if (token.empty()) return page;
  const auto bytes = token.size() <= 200 ? decode(token) : std::nullopt;
  if (bytes) {
    const size_t colon = bytes->rfind(':') + 1;
    std::from_chars(bytes->data() + colon, bytes->data() + bytes->size(), page.before_id);
  }
  // Encoding it again catches every other spelling, stray byte and foreign list at once.
  if (page.before_id <= 0 || page_token(list, page.before_id) != token)
    return fail(Code::kInvalidArgument, "page_token: not a token that this list has given");
  return page;
}

}  // namespace manman::api
