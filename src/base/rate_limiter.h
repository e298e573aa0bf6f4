#pragma once

#include <chrono>
#include <cstdint>

#include "base/progress.h"
#include "base/stream.h"
#include "base/sync.h"

namespace manman {

// A token bucket: lets so many bytes a second pass on the average, and at most a quarter of a
// second's worth at once after a rest. Any number of threads share one.
class RateLimiter {
 public:
  explicit RateLimiter(uint64_t bytes_per_second) : rate_(bytes_per_second) {}  // 0: no limit
  RateLimiter(const RateLimiter&) = delete;
  RateLimiter& operator=(const RateLimiter&) = delete;

  bool limits() const { return rate_ != 0; }
  // Returns when `bytes` may pass; kCancelled soon after `progress`, if any, says so. Callers are
  // served in the order in which they came.
  Result<void> take(uint64_t bytes, const Progress* progress);

 private:
  using Clock = std::chrono::steady_clock;

  const uint64_t rate_;
  Sync<Clock::time_point> next_;  // when all that was let through so far will have passed
};

// Passes on to another sink no faster than the limit.
class LimitedSink final : public Sink {
 public:
  // All must outlive it.
  LimitedSink(Sink& out, RateLimiter& limiter, const Progress* progress)
      : out_(out), limiter_(limiter), progress_(progress) {}
  Result<void> write(ConstBytes bytes) override;

 private:
  Sink& out_;
  RateLimiter& limiter_;
  const Progress* progress_;
};

}  // namespace manman
