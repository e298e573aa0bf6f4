#pragma once

#include <memory>
#include <string>

#include "api/context.h"
#include "domain/backup.h"

namespace manman::api {

// What Prometheus asks for: counters and histograms of this process since it started, and the state
// of things as the database has it. Thread-safe.
class Metrics {
 public:
  // The counters must outlive it.
  explicit Metrics(const Counters& counters);
  ~Metrics();

  // From now on the database is asked, too, for a few rows a time and at most every few seconds.
  // The context must outlive it.
  void start(const Context& context);

  // A backup has come to an end, of which its row says all.
  void backup_ended(const Backup& row);

  // In the text format of Prometheus, version 0.0.4.
  std::string text();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace manman::api
