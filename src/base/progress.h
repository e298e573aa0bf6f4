#pragma once

#include <atomic>
#include <cstdint>

#include "base/error.h"

namespace manman {

// Counters of one long piece of work, and the wish to end it. The worker writes, any thread
// reads; each counter is right by itself, together they may be a moment apart.
struct Progress {
  std::atomic<uint64_t> done_bytes{0};    // of the uncompressed data
  std::atomic<uint64_t> total_bytes{0};   // 0 while not known
  std::atomic<uint64_t> done_entries{0};  // files, folders and links
  std::atomic<bool> cancel{false};

  // kCancelled once cancel is set; the worker asks between steps.
  Result<void> check() const {
    if (cancel.load(std::memory_order_relaxed)) return fail(Code::kCancelled, "cancelled");
    return {};
  }
};

}  // namespace manman
