#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace manman {

// Wall-clock time, injected so that tests can hold it. Thread-safe.
inline constexpr int64_t kDaySeconds = 24 * 60 * 60;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual int64_t now_ms() const = 0;  // since the Unix epoch
  int64_t now_s() const { return now_ms() / 1000; }
};

// The machine's clock; lives as long as the process.
Clock& system_clock();

// "2026-01-31T12:00:00Z"; "-" for 0.
std::string format_utc(int64_t unix_s);

}  // namespace manman
