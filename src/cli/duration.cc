#include "cli/duration.h"

#include <charconv>
#include <limits>

namespace manman::cli {
namespace {

struct Unit {
  char letter;
  int64_t seconds;
};
constexpr Unit kUnits[] = {{'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}};

}  // namespace

Result<int32_t> parse_duration(const std::string& option, const std::string& text) {
  const auto wrong = fail(Code::kInvalidArgument,
                          option + " '" + text + "': wants a time such as 90s, 10m, 1h30m or 2d");
  int64_t total = 0;
  int64_t least = std::numeric_limits<int64_t>::max();  // units come from the largest down
  const char* at = text.data();
  const char* const end = at + text.size();
  if (text.empty()) return wrong;
  while (at != end) {
    int32_t count = 0;
    const auto [rest, error] = std::from_chars(at, end, count);
    if (error != std::errc() || *at == '-' || rest == end) return wrong;
    int64_t seconds = 0;
    for (const Unit& unit : kUnits)
      if (unit.letter == *rest) seconds = unit.seconds;
    if (seconds == 0 || seconds >= least) return wrong;
    total += count * seconds;
    if (total > std::numeric_limits<int32_t>::max()) return wrong;
    least = seconds;
    at = rest + 1;
  }
  return static_cast<int32_t>(total);
}

}  // namespace manman::cli
