#pragma once

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <vector>

namespace manman::bench {

// Durations of many events of one kind.
class Times {
 public:
  template <typename Duration>
  void add(Duration duration) {
    ms_.push_back(std::chrono::duration<double, std::milli>(duration).count());
  }
  // {"count": 3, "p50_ms": …, "p99_ms": …, "max_ms": …}
  nlohmann::json summary() const {
    if (ms_.empty()) return {{"count", 0}};
    auto sorted = ms_;
    std::ranges::sort(sorted);
    return {{"count", sorted.size()},
            {"p50_ms", sorted[sorted.size() / 2]},
            {"p99_ms", sorted[sorted.size() * 99 / 100]},
            {"max_ms", sorted.back()}};
  }

 private:
  std::vector<double> ms_;
};

}  // namespace manman::bench
