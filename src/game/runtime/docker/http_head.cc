#include "game/runtime/docker/http_head.h"

#include <algorithm>
#include <string>

namespace manman::docker {
namespace {

// HTTP/1.x NNN, then a space and a reason, or nothing.
constexpr std::string_view kStart = "HTTP/1.";
constexpr size_t kStatusAt = 9;
constexpr size_t kShortestLine = 12;

std::unexpected<Error> no_http() {
  return fail(Code::kDataLoss, "the answer is not HTTP");
}

bool is_digit(char byte) {
  return byte >= '0' && byte <= '9';
}

Result<int> status_in(std::string_view line) {
  if (line.size() < kShortestLine || !line.starts_with(kStart) || !is_digit(line[kStart.size()]) ||
      line[kStatusAt - 1] != ' ')
    return no_http();
  const std::string_view digits = line.substr(kStatusAt, 3);
  if (!std::ranges::all_of(digits, is_digit) || digits[0] == '0') return no_http();
  if (line.size() > kShortestLine && line[kShortestLine] != ' ') return no_http();
  return std::stoi(std::string(digits));
}

}  // namespace

Result<std::optional<HttpHead>> parse_http_head(std::string_view received) {
  if (received.substr(0, kStart.size()) != kStart.substr(0, received.size())) return no_http();
  const size_t line_end = received.find("\r\n");
  const size_t end = received.find("\r\n\r\n");
  if (std::min(end, received.size()) > kMaxHttpHeadBytes)
    return fail(Code::kDataLoss, "the head of the answer is too long");
  if (line_end == std::string_view::npos || end == std::string_view::npos)
    return std::optional<HttpHead>();
  const int status = TRY(status_in(received.substr(0, line_end)));
  return HttpHead{status, end + 4};
}

}  // namespace manman::docker
