#include "store/s3/retries.h"

namespace manman::s3 {
namespace {

constexpr Backoff kBackoff{std::chrono::milliseconds(100), std::chrono::milliseconds(8000)};

}  // namespace

bool Retries::again(const Error& error) {
  if (failures_ == 0) first_ = std::chrono::steady_clock::now();
  failures_++;
  if (!error.retryable) return false;
  const auto left = first_ + limit_ - std::chrono::steady_clock::now();
  if (left <= left.zero()) return false;
  const auto wait = std::min<std::chrono::milliseconds>(
      kBackoff.wait_before_retry(failures_ - 1),
      std::chrono::duration_cast<std::chrono::milliseconds>(left));
  return sleep_unless(wait, cancelled_);
}

Error Retries::give_up(Error error) const {
  if (failures_ > 1) error.message += " (" + std::to_string(failures_) + " tries)";
  return error;
}

}  // namespace manman::s3
