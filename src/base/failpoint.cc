#include "base/failpoint.h"

#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <map>
#include <string>
#include <thread>

#include "base/log.h"
#include "base/sync.h"

namespace manman::failpoint {
namespace detail {
std::atomic<bool> enabled{false};
}
namespace {

enum class Action { kCrash, kStop, kDelay, kError };

struct Point {
  Action action = Action::kCrash;
  int delay_ms = 0;
  std::string message;
  int only_nth = 0;  // 0: every time
  int passed = 0;
};

Sync<std::map<std::string, Point, std::less<>>>& points() {
  static Sync<std::map<std::string, Point, std::less<>>> all;
  return all;
}

Result<int> parse_number(std::string_view text, std::string_view item) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0)
    return fail(Code::kInvalidArgument, "failpoint '" + std::string(item) + "': not a number");
  return value;
}

Result<std::pair<std::string, Point>> parse_item(std::string_view item) {
  const size_t equals = item.find('=');
  if (equals == std::string_view::npos)
    return fail(Code::kInvalidArgument, "failpoint '" + std::string(item) + "': wants NAME=ACTION");
  std::string_view name = item.substr(0, equals);
  std::string_view action = item.substr(equals + 1);
  Point point;
  if (const size_t at = name.find('@'); at != std::string_view::npos) {
    point.only_nth = TRY(parse_number(name.substr(at + 1), item));
    name = name.substr(0, at);
  }
  if (std::ranges::find(kNames, name) == kNames.end())
    return fail(Code::kInvalidArgument, "no failpoint is named '" + std::string(name) + "'");
  std::string_view argument;
  if (const size_t colon = action.find(':'); colon != std::string_view::npos) {
    argument = action.substr(colon + 1);
    action = action.substr(0, colon);
  }
  if (action == "crash") {
    point.action = Action::kCrash;
  } else if (action == "stop") {
    point.action = Action::kStop;
  } else if (action == "delay") {
    point.action = Action::kDelay;
    point.delay_ms = TRY(parse_number(argument, item));
  } else if (action == "error") {
    point.action = Action::kError;
    point.message = argument.empty() ? "failpoint " + std::string(name) : std::string(argument);
  } else {
    return fail(Code::kInvalidArgument, "failpoint '" + std::string(item) +
                                            "': action is crash, stop, delay:MS or error[:TEXT]");
  }
  return std::pair(std::string(name), point);
}

}  // namespace

Result<void> configure(std::string_view spec) {
  std::map<std::string, Point, std::less<>> parsed;
  while (!spec.empty()) {
    const size_t semicolon = spec.find(';');
    const std::string_view item = spec.substr(0, semicolon);
    spec = semicolon == std::string_view::npos ? "" : spec.substr(semicolon + 1);
    if (item.empty()) continue;
    parsed.insert(TRY(parse_item(item)));
  }
  const bool any = !parsed.empty();
  *points().lock() = std::move(parsed);
  detail::enabled.store(any);
  return {};
}

Result<void> configure_from_environment() {
  const char* spec = std::getenv("MANMAN_FAILPOINTS");
  return configure(spec == nullptr ? "" : spec);
}

Result<void> detail::act(std::string_view name) {
  Point point;
  {
    auto all = points().lock();
    const auto found = all->find(name);
    if (found == all->end()) return {};
    found->second.passed++;
    point = found->second;
  }
  if (point.only_nth != 0 && point.passed != point.only_nth) return {};
  switch (point.action) {
    case Action::kCrash:
      ::raise(SIGKILL);
      break;
    case Action::kStop:
      ::raise(SIGSTOP);
      break;
    case Action::kDelay:
      log_info({}, "failpoint {}: waits {} ms", name, point.delay_ms);
      std::this_thread::sleep_for(std::chrono::milliseconds(point.delay_ms));
      break;
    case Action::kError:
      return fail(Code::kInternal, point.message);
  }
  return {};
}

}  // namespace manman::failpoint
