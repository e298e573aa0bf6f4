#pragma once

#include <grpcpp/support/status.h>

#include <exception>
#include <string>
#include <string_view>

#include "base/error.h"

namespace manman::api {

// The error as gRPC carries it: the same code, and Error::text() as message.
grpc::Status to_status(const Error& error);

// The status for an exception that a handler did not expect.
grpc::Status broken(std::string_view rpc, std::string_view what);

// Runs a handler, Result<void>(), and turns what comes of it into a status; nothing gets past it.
template <typename Work>
grpc::Status answer(std::string_view rpc, Work&& work) {
  try {
    const Result<void> result = work();
    return result ? grpc::Status::OK : to_status(result.error());
  } catch (const std::exception& error) {
    return broken(rpc, error.what());
  } catch (...) {
    return broken(rpc, "an exception of no known type");
  }
}

}  // namespace manman::api
