#pragma once

#include <functional>
#include <memory>
#include <string>

#include "api/metrics.h"
#include "api/readiness.h"
#include "base/error.h"

namespace manman::api {

// The HTTP listener: /healthz says that the process lives, /readyz whether it can answer calls
// (200 or 503, with the state of each part as JSON), /metrics what Prometheus asks for. Other paths
// are 404.
class HttpServer {
 public:
  // Both must outlive it.
  HttpServer(Readiness& readiness, Metrics& metrics);
  ~HttpServer();  // stop()

  Result<void> start(const std::string& address);
  void stop();
  std::string address() const;  // with the real port; "" when it does not listen

 private:
  class Impl;
  Readiness& readiness_;
  Metrics& metrics_;
  std::unique_ptr<Impl> impl_;
};

}  // namespace manman::api
