#include "cli/wait.h"

#include <optional>

#include "base/retry.h"
#include "cli/interrupt.h"

namespace manman::cli {

Result<void> wait_until(const std::function<Result<bool>()>& poll, const WaitOptions& options) {
  using Clock = std::chrono::steady_clock;
  std::optional<Clock::time_point> away_since;
  while (!interrupted()) {
    const auto asked_at = Clock::now();
    const Result<bool> done = poll();
    if (done) {
      if (*done) return {};
      away_since.reset();
    } else {
      if (done.error().code != Code::kUnavailable) return std::unexpected(done.error());
      if (!away_since) away_since = asked_at;
      if (Clock::now() - *away_since >= options.outage) return std::unexpected(done.error());
    }
    sleep_unless(options.interval, interrupted);
  }
  return fail(Code::kCancelled, "stopped waiting");
}

}  // namespace manman::cli
