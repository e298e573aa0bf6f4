#pragma once

#include <chrono>
#include <functional>

#include "base/error.h"

namespace manman::cli {

struct WaitOptions {
  std::chrono::milliseconds interval{100};
  // How long the service may be away before the wait is given up: it may be restarting.
  std::chrono::milliseconds outage{30000};
};

// Calls poll until it returns true. Errors of poll end the wait, but for kUnavailable, which ends
// it only when it has lasted for the outage. A signal (see InterruptGuard) ends it with
// kCancelled.
Result<void> wait_until(const std::function<Result<bool>()>& poll, const WaitOptions& options = {});

}  // namespace manman::cli
