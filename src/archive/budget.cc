#include "archive/budget.h"

#include <sys/statvfs.h>

#include <algorithm>
#include <cerrno>

namespace manman::archive {
namespace {

constexpr uint64_t kFreeOfRatio = uint64_t{64} << 20;
// Left free on the target's file system, so that others can go on.
constexpr uint64_t kReserve = uint64_t{64} << 20;

}  // namespace

Budget::Budget(const Limits& limits, uint64_t archive_size)
    : limits_(limits),
      max_by_ratio_(archive_size > UINT64_MAX / std::max(limits.max_ratio, 1U)
                        ? UINT64_MAX
                        : std::max(archive_size * limits.max_ratio, kFreeOfRatio)) {
  if (limits_.max_bytes == 0) limits_.max_bytes = UINT64_MAX;
}

Result<Budget::Limits> Budget::limits(const std::string& target, const UnpackOptions& options,
                                      bool indexed) {
  struct statvfs info{};
  if (::statvfs(target.c_str(), &info) != 0) return fail_errno("look at " + target, errno);
  const uint64_t free = static_cast<uint64_t>(info.f_bavail) * info.f_frsize;
  return Limits{.max_bytes = options.max_unpacked_bytes,
                .free_bytes = free > kReserve ? free - kReserve : 0,
                .max_ratio = options.max_ratio != 0 ? options.max_ratio : kUsualMaxRatio,
                .only_zeros = indexed && options.max_ratio == 0};
}

Result<void> Budget::check(uint64_t bytes) const {
  if (bytes > limits_.max_bytes)
    return fail(Code::kResourceExhausted, "refused: the archive unpacks to " +
                                              std::to_string(bytes) + " bytes or more, and " +
                                              std::to_string(limits_.max_bytes) + " are allowed");
  if (bytes > limits_.free_bytes)
    return std::unexpected(Error{Code::kResourceExhausted,
                                 "not enough free space on the disk: " + std::to_string(bytes) +
                                     " bytes or more are to be written, and " +
                                     std::to_string(limits_.free_bytes) +
                                     " may be used (some are kept for others)"}
                               .with_hint("free space on the disk"));
  return {};
}

Result<void> Budget::take(uint64_t bytes) {
  TRY(check(taken_ += bytes));
  return limits_.only_zeros ? Result<void>() : take_by_ratio(bytes);
}

Result<void> Budget::take_zeros(uint64_t bytes) {
  return limits_.only_zeros ? take_by_ratio(bytes) : Result<void>();
}

Result<void> Budget::take_by_ratio(uint64_t bytes) {
  if ((by_ratio_ += bytes) > max_by_ratio_)
    return fail(Code::kInvalidArgument, "refused: the archive unpacks to more than " +
                                            std::to_string(limits_.max_ratio) + " times its size");
  return {};
}

}  // namespace manman::archive
