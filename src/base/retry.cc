#include "base/retry.h"

#include <algorithm>
#include <random>
#include <thread>

namespace manman {

std::chrono::milliseconds Backoff::wait_before_retry(int retry) const {
  thread_local std::mt19937_64 random{std::random_device{}()};
  const auto ceiling = std::min<int64_t>(cap.count(), base.count() << std::min(retry, 20));
  return std::chrono::milliseconds(std::uniform_int_distribution<int64_t>(0, ceiling)(random));
}

bool sleep_unless(std::chrono::milliseconds duration, const std::function<bool()>& stop) {
  const auto until = std::chrono::steady_clock::now() + duration;
  constexpr std::chrono::milliseconds kStep{20};
  while (std::chrono::steady_clock::now() < until) {
    if (stop && stop()) return false;
    std::this_thread::sleep_for(std::min<std::chrono::steady_clock::duration>(
        kStep, until - std::chrono::steady_clock::now()));
  }
  return !(stop && stop());
}

}  // namespace manman
