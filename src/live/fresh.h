#pragma once

#include <sys/stat.h>

#include <chrono>
#include <ctime>

namespace manman::live {

// Longer than a clock that stamps files takes to tick.
inline constexpr std::chrono::milliseconds kTick{20};

// The time so much before. `by` is less than a second.
inline timespec earlier(timespec time, std::chrono::nanoseconds by) {
  time.tv_nsec -= by.count();
  if (time.tv_nsec < 0) {
    time.tv_nsec += 1'000'000'000;
    time.tv_sec--;
  }
  return time;
}

// How long ago the file was changed, by this machine's clock.
inline std::chrono::nanoseconds age(const struct stat& info) {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return std::chrono::seconds(now.tv_sec - info.st_ctim.tv_sec) +
         std::chrono::nanoseconds(now.tv_nsec - info.st_ctim.tv_nsec);
}

// Whether a file was changed so lately that it may be changed again without its times telling.
inline bool is_fresh(const struct stat& info) {
  const auto passed = age(info);
  return passed < kTick && passed > -std::chrono::seconds(1);
}

}  // namespace manman::live
