#pragma once

#include <chrono>
#include <functional>

#include "base/error.h"
#include "base/retry.h"

namespace manman::s3 {

// The tries of one operation: exponential backoff with full jitter, for a limited time from the
// first failure on.
class Retries {
 public:
  Retries(std::chrono::milliseconds limit, std::function<bool()> cancelled)
      : limit_(limit), cancelled_(std::move(cancelled)) {}

  // After a failed try: waits, and says whether to try again.
  bool again(const Error& error);
  // The last try's error, with how many there were.
  Error give_up(Error error) const;
  int failures() const { return failures_; }

 private:
  std::chrono::milliseconds limit_;
  std::function<bool()> cancelled_;
  std::chrono::steady_clock::time_point first_;
  int failures_ = 0;
};

}  // namespace manman::s3
