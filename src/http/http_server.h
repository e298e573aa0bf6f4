#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/error.h"

namespace manman {

struct HttpAnswer {
  int status = 200;
  std::string content_type = "text/plain";
  std::string body;
};
// What answers GET of each path; called on the server's threads, several at a time.
using HttpPages = std::map<std::string, std::function<HttpAnswer()>>;

// A small HTTP listener for what machines ask of a process: whether it lives, its metrics. Other
// paths are 404. Thread-safe.
class HttpServer {
 public:
  explicit HttpServer(HttpPages pages);
  ~HttpServer();  // stop()

  // kInvalidArgument for a bad address, kUnavailable when it is in use.
  Result<void> start(const std::string& address);
  void stop();
  std::string address() const;  // with the real port; "" when it does not listen

 private:
  class Impl;
  const HttpPages pages_;
  std::unique_ptr<Impl> impl_;
};

}  // namespace manman
