#pragma once

#include <chrono>
#include <functional>

#include "base/error.h"

namespace manman {

// Exponential backoff with full jitter (Marc Brooker, "Exponential Backoff And Jitter", AWS
// Architecture Blog, 2015): the n-th wait is random in [0, min(cap, base * 2^n)].
struct Backoff {
  std::chrono::milliseconds base{50};
  std::chrono::milliseconds cap{5000};

  std::chrono::milliseconds wait_before_retry(int retry) const;
};

// Sleeps in small steps so that a stop is seen at once; false when asked to stop.
bool sleep_unless(std::chrono::milliseconds duration, const std::function<bool()>& stop);

// Calls work until it succeeds, fails with an error that a retry can't help, has been called
// `attempts` times, or stop says so. Returns the last result.
template <typename F>
auto retry(int attempts, const Backoff& backoff, const std::function<bool()>& stop, F&& work)
    -> decltype(work()) {
  for (int tried = 1;; tried++) {
    auto result = work();
    if (result || !result.error().retryable || tried >= attempts) return result;
    if (!sleep_unless(backoff.wait_before_retry(tried - 1), stop)) return result;
  }
}

}  // namespace manman
