#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>

namespace manman::cli {

// How fast a counter of bytes grows, over the last ten seconds.
class RateMeter {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // A count below the one before starts anew: another attempt.
  void add(Time now, uint64_t done_bytes);
  // 0 while not known.
  double bytes_per_second() const;

 private:
  struct Sample {
    Time time;
    uint64_t done_bytes;
  };
  std::deque<Sample> samples_;
};

struct ProgressState {
  uint64_t done_bytes = 0;
  uint64_t total_bytes = 0;  // 0: not known
  double bytes_per_second = 0;
};

// Seconds to the end, rounded up; nothing while rate or total are not known.
std::optional<uint64_t> eta_seconds(const ProgressState& state);

// For a terminal, at most `width` columns:
// "backup 5 [=======>      ]  52%  120.0 MiB / 230.0 MiB  85.2 MiB/s  ETA 2s".
std::string progress_bar(const std::string& label, const ProgressState& state, size_t width);
// For a log: "backup 5: 52% (120.0 MiB of 230.0 MiB), 85.2 MiB/s, 2s left".
std::string progress_line(const std::string& label, const ProgressState& state);

}  // namespace manman::cli
