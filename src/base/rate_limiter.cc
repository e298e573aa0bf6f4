#include "base/rate_limiter.h"

#include <algorithm>
#include <thread>

namespace manman {
namespace {

constexpr std::chrono::milliseconds kBurst{250};
// How long a cancel goes unnoticed.
constexpr std::chrono::milliseconds kNap{50};
// A larger write passes in parts, so that what is behind it sees an even flow.
constexpr size_t kPart = size_t{64} << 10;

}  // namespace

Result<void> RateLimiter::take(uint64_t bytes, const Progress* progress) {
  if (rate_ == 0) return {};
  const auto cost = std::chrono::duration_cast<Clock::duration>(
      std::chrono::duration<double>(static_cast<double>(bytes) / static_cast<double>(rate_)));
  Clock::time_point end;
  {
    auto next = next_.lock();
    *next = std::max(*next, Clock::now() - kBurst) + cost;
    end = *next;
  }
  for (auto now = Clock::now(); now < end; now = Clock::now()) {
    if (progress != nullptr) TRY(progress->check());
    std::this_thread::sleep_until(std::min(end, now + kNap));
  }
  return {};
}

Result<void> LimitedSink::write(ConstBytes bytes) {
  if (!limiter_.limits()) return out_.write(bytes);
  while (!bytes.empty()) {
    const ConstBytes part = bytes.first(std::min(bytes.size(), kPart));
    TRY(limiter_.take(part.size(), progress_));
    TRY(out_.write(part));
    bytes = bytes.subspan(part.size());
  }
  return {};
}

}  // namespace manman
