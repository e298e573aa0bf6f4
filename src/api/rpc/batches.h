#pragma once

#include <grpcpp/grpcpp.h>

#include "base/error.h"

namespace manman::api {

// Sends responses that carry many items each, once they have some 128 KiB together. What went wrong
// is asked for at the end: the engine's visitors can only say that they have seen enough.
template <typename Response>
class Batches {
 public:
  Batches(grpc::ServerContext& call, grpc::ServerWriter<Response>& writer)
      : call_(call), writer_(writer) {}

  Response& message() { return message_; }
  // After each item, of about so many bytes. False when the client is gone.
  bool added(size_t bytes) {
    bytes_ += bytes;
    return bytes_ < kMessageBytes || send();
  }
  Result<void> finish() {
    if (gone_ || (bytes_ > 0 && !send())) return fail(Code::kCancelled, "the client is gone");
    return {};
  }

 private:
  bool send() {
    gone_ = call_.IsCancelled() || !writer_.Write(message_);
    message_.Clear();
    bytes_ = 0;
    return !gone_;
  }

  grpc::ServerContext& call_;
  grpc::ServerWriter<Response>& writer_;
  Response message_;
  static constexpr size_t kMessageBytes = size_t{128} << 10;
  size_t bytes_ = 0;
  bool gone_ = false;
};

}  // namespace manman::api
