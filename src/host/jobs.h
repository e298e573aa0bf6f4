#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "base/log.h"
#include "base/progress.h"
#include "base/sync.h"
#include "bus/bus.h"
#include "host/record.h"

namespace manman::host {

// One job from its command to its last report.
struct Job {
  JobKey key;
  About about;
  Progress progress;  // cancel is set when it shall end: the host stops, a kill, a cancel
  std::atomic<bool> begun{false};   // set by whoever does the job, or ends it before it is done
  std::atomic<bool> killed{false};  // of a session: asked to end before its game ran
  std::function<Message(const Progress&)>
      renewal;  // the report that renews its lease; may be empty

  std::function<bool()> cancelled() {
    return [this] { return progress.cancel.load(std::memory_order_relaxed); };
  }
};

About about(const JobKey& key, int64_t sgc_id, int64_t server_id);

// The jobs that wait in a lane or are at work there. Thread-safe.
class Jobs {
 public:
  void add(std::shared_ptr<Job> job);
  void remove(const JobKey& key);
  std::shared_ptr<Job> find(const JobKey& key);
  std::vector<std::shared_ptr<Job>> all();
  void cancel_all();

 private:
  Sync<std::map<JobKey, std::shared_ptr<Job>>> jobs_;
};

}  // namespace manman::host
