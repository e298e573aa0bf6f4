#pragma once

#include <functional>
#include <memory>
#include <string>

#include "api/readiness.h"
#include "base/error.h"

namespace manman::api {

// The HTTP listener: /healthz says that the process lives, /readyz whether it can answer calls
// (200 or 503, with the state of each part as JSON). Other paths are 404.
class HttpServer {
 public:
  // readiness must outlive it.
  explicit HttpServer(Readiness& readiness);
  ~HttpServer();  // stop()

  Result<void> start(const std::string& address);
  void stop();
  std::string address() const;  // with the real port; "" when it does not listen

 private:
  class Impl;
  Readiness& readiness_;
  std::unique_ptr<Impl> impl_;
};

}  // namespace manman::api
