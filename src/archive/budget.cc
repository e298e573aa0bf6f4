#include "archive/budget.h"

#include <algorithm>

namespace manman::archive {
namespace {

constexpr uint64_t kFreeOfRatio = uint64_t{64} << 20;

}  // namespace

Budget::Budget(uint64_t max_bytes, uint32_t max_ratio, uint64_t archive_size)
    : max_bytes_(max_bytes == 0 ? UINT64_MAX : max_bytes),
      max_ratio_(max_ratio),
      max_by_ratio_(archive_size > UINT64_MAX / std::max(max_ratio, 1U)
                        ? UINT64_MAX
                        : std::max(archive_size * max_ratio, kFreeOfRatio)) {}

Result<void> Budget::check_claim(uint64_t bytes) const {
  if (bytes <= max_bytes_) return {};
  return std::unexpected(Error{Code::kResourceExhausted,
                               "the archive unpacks to " + std::to_string(bytes) +
                                   " bytes, and there is room for " + std::to_string(max_bytes_)}
                             .with_hint("free space on the disk, or allow more"));
}

Result<void> Budget::take(uint64_t bytes) {
  taken_ += bytes;
  if (taken_ > max_bytes_)
    return fail(Code::kResourceExhausted, "the archive unpacks to more than the " +
                                              std::to_string(max_bytes_) +
                                              " bytes there is room for");
  if (taken_ > max_by_ratio_)
    return fail(Code::kInvalidArgument, "refused: the archive unpacks to more than " +
                                            std::to_string(max_ratio_) + " times its size");
  return {};
}

}  // namespace manman::archive
