#pragma once

#include <chrono>

#include "api/context.h"
#include "api/jobs/ticker.h"

namespace manman::api {

// Ends uploads that nobody finished: those of a host that never came back. A host ends its own when
// it goes on after a crash; what is older than any backup takes is nobody's.
class UploadSweeper {
 public:
  explicit UploadSweeper(const Context& context);

  void start() { ticker_.start(); }
  void stop() { ticker_.stop(); }

 private:
  void sweep();

  const Context& context_;
  Ticker ticker_;
};

}  // namespace manman::api
