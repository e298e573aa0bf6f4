#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "domain/messages.h"

namespace manman::host {

struct Context;

// What a host manager tells Prometheus: counters and histograms since the process started, and what
// is at work now. Thread-safe.
class Metrics {
 public:
  Metrics();
  ~Metrics();

  enum class BackupEnd { kCompleted, kFailed, kSkipped, kCancelled };
  // bytes and the pause count of completed ones.
  void backup_ended(BackupEnd end, const BackupReport& report);
  void restore_ended(bool good);
  void drill_ended(const DrillReport& report);

  enum class Retry { kUpload, kDownload };
  void retried(Retry cause);
  // Calls work, whose second call and those after it count as tried again.
  template <typename F>
  auto counting(Retry cause, F&& work) {
    return [this, cause, tried = false, work = std::forward<F>(work)]() mutable {
      if (std::exchange(tried, true)) retried(cause);
      return work();
    };
  }

  // In the text format of Prometheus, version 0.0.4.
  std::string text(Context& context);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace manman::host
