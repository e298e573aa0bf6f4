#pragma once

#include <chrono>
#include <string>
#include <thread>

#include "base/progress.h"
#include "cli/context.h"
#include "cli/rate_meter.h"

namespace manman::cli {

// Shows progress on standard error: one line drawn anew on a terminal, a line every few seconds
// otherwise; nothing with --quiet, nor between the JSON of a script. One thread at a time. The
// destructor wipes the drawn line.
class ProgressView {
 public:
  ProgressView(const Globals& globals, std::string label);
  ~ProgressView();
  ProgressView(const ProgressView&) = delete;
  ProgressView& operator=(const ProgressView&) = delete;

  // As often as one likes. The state is put in front of the numbers: "pending", "running".
  void update(uint64_t done_bytes, uint64_t total_bytes, const std::string& state = {});
  void wipe();

 private:
  void draw(const ProgressState& progress, const std::string& state);

  std::string label_;
  bool terminal_ = false;
  bool enabled_ = false;
  bool drawn_ = false;
  RateMeter meter_;
  RateMeter::Time last_shown_;
};

// Shows the progress of work in this process until destroyed, from a thread of its own, and
// cancels the work when the user interrupts (see InterruptGuard).
class ProgressWatch {
 public:
  ProgressWatch(const Globals& globals, std::string label, Progress& progress);
  ~ProgressWatch();

 private:
  std::jthread thread_;
};

}  // namespace manman::cli
