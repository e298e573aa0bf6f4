#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace manman::docker {

struct HttpAnswer {
  int status = 0;
  std::string body;
};

// HTTP over the engine's unix socket, one connection for each request. Thread-safe. An engine that
// can't be reached is kUnavailable or kPermissionDenied with what to do about it; no answer in time
// kDeadlineExceeded.
class EngineHttp {
 public:
  static constexpr size_t kMaxBodyBytes = 16U << 20;

  explicit EngineHttp(std::string socket) : socket_(std::move(socket)) {}

  // The whole answer, whatever its status; a longer body than kMaxBodyBytes is kOutOfRange.
  Result<HttpAnswer> request(const std::string& method, const std::string& target,
                             const std::string& body, std::chrono::milliseconds timeout) const;

  // Gives the body of the answer (status 200) to `take` as it comes, until the engine ends it or
  // `take` fails. While nothing comes, and whenever wake_fd can be read, `go_on` is asked; once it
  // says no, this returns success. An answer of another status is returned as it is.
  struct Stream {
    std::string target;
    std::function<Result<void>(std::string_view)> take;
    std::function<bool()> go_on;
    int wake_fd = -1;
  };
  Result<HttpAnswer> stream(const Stream& stream) const;

  // Bytes for the other side of a request that switches protocols (POST, "Upgrade: tcp"): sends
  // them, says that no more come, and waits until the engine has taken all of them. One that takes
  // nothing for `patience` is kUnavailable; it may still take the rest.
  Result<HttpAnswer> upgrade_and_send(const std::string& target, std::string_view bytes,
                                      std::chrono::milliseconds patience) const;

 private:
  std::string socket_;
};

}  // namespace manman::docker
