#pragma once

#include <sys/stat.h>

#include <filesystem>
#include <optional>
#include <utility>

#include "archive/staging.h"
#include "base/error.h"

namespace manman::cli {

// Where an archive is unpacked. A folder that is missing is filled beside its place and renamed
// when it is whole; one that is there and empty is filled in a folder within it, from which all
// moves up; one that is not empty is filled in place. In the first two cases a failure leaves
// nothing behind.
class ExtractTarget {
 public:
  // A folder that is not empty is kFailedPrecondition unless `force`.
  static Result<ExtractTarget> open(const std::filesystem::path& dir, bool force);

  // What to unpack into.
  const std::filesystem::path& folder() const { return staging_ ? staging_->path() : dir_; }
  bool removed_on_failure() const { return staging_.has_value(); }
  // Everything is under its place when it returns, and durable if `sync`.
  Result<void> commit(bool sync);

 private:
  enum class Kind { kMissing, kEmpty, kFilled };
  // Gives a folder its times back when destroyed: staging within it changed them.
  class KeepTimes {
   public:
    KeepTimes(std::filesystem::path dir, const struct stat& info)
        : dir_(std::move(dir)), info_(info) {}
    KeepTimes(KeepTimes&& other) noexcept
        : dir_(std::exchange(other.dir_, {})), info_(other.info_) {}
    KeepTimes& operator=(KeepTimes&&) = delete;
    ~KeepTimes();
    void release() { dir_.clear(); }

   private:
    std::filesystem::path dir_;
    struct stat info_;
  };
  ExtractTarget(std::filesystem::path dir, Kind kind) : dir_(std::move(dir)), kind_(kind) {}
  Result<void> move_up(bool sync);

  std::filesystem::path dir_;
  Kind kind_;
  std::optional<KeepTimes> times_;  // destroyed after staging_
  std::optional<archive::Staging> staging_;
  std::optional<archive::TreeSync> sync_;  // without staging
};

}  // namespace manman::cli
