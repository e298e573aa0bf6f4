#include "cli/engine_wait.h"

#include <chrono>
#include <optional>
#include <utility>

#include "base/log.h"
#include "base/retry.h"
#include "cli/interrupt.h"

namespace manman::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr Backoff kPause{.base = std::chrono::milliseconds(500),
                         .cap = std::chrono::milliseconds(5000)};

struct Waiting {
  Engine engine;
  std::optional<Clock::time_point> since = std::nullopt;
};

// True once it is open.
Result<bool> try_once(Waiting& waiting, const OnAway& on_away) {
  const Engine& engine = waiting.engine;
  const auto opened = engine.open();
  if (opened) {
    if (waiting.since)
      log_info({}, "the {} is there, after {} s", engine.part,
               std::chrono::ceil<std::chrono::seconds>(Clock::now() - *waiting.since).count());
    return true;
  }
  if (interrupted()) return false;
  if (!opened.error().retryable) return std::unexpected(opened.error());
  if (!waiting.since) {
    waiting.since = Clock::now();
    log_warn({}, "waits for the {}, which is away; see {}: {}", engine.part, engine.setting,
             opened.error().message);
  }
  on_away(engine.part, opened.error());
  return false;
}

}  // namespace

Result<bool> open_engines(std::vector<Engine> engines, const OnAway& on_away) {
  std::vector<Waiting> waiting;
  for (Engine& engine : engines) waiting.push_back({std::move(engine)});
  for (int tried = 0; !waiting.empty(); tried++) {
    if (tried > 0 && !sleep_unless(kPause.wait_before_retry(tried - 1), interrupted)) return false;
    for (auto it = waiting.begin(); it != waiting.end();) {
      const bool open = TRY(try_once(*it, on_away));
      if (interrupted()) return false;
      it = open ? waiting.erase(it) : it + 1;
    }
  }
  return true;
}

}  // namespace manman::cli
