#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/stream.h"
#include "db/database.h"
#include "domain/backup.h"
#include "store/store.h"

// What the calls that read archives share.
namespace manman::api {

// Bounds how many calls of a kind are at work: each holds a thread of the server for as long as it
// lasts. Thread-safe.
class Slots {
 public:
  // Given back when destroyed; before the slots are.
  class Slot {
   public:
    explicit Slot(std::atomic<int>& used) : used_(&used) {}
    Slot(Slot&& other) noexcept : used_(std::exchange(other.used_, nullptr)) {}
    Slot& operator=(Slot&&) = delete;
    ~Slot() {
      if (used_ != nullptr) used_->fetch_sub(1);
    }

   private:
    std::atomic<int>* used_;
  };

  // With `limit` taken already: kResourceExhausted, "8 downloads are at work, as many as {whose}".
  Result<Slot> take(int limit, std::string_view what, std::string_view whose = "are allowed");

 private:
  std::atomic<int> used_{0};
};

// kFailedPrecondition unless it is completed.
Result<Backup> completed_backup(db::Database& database, int64_t backup_id);

enum class Reading { kInOrder, kHereAndThere };
// Where its row says. An object that is missing, or of another size, is kDataLoss.
Result<std::unique_ptr<RandomSource>> open_archive(Store& store, const Backup& row,
                                                   Reading reading);

}  // namespace manman::api
