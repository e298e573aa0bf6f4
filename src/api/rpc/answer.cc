#include "api/rpc/answer.h"

#include "api/fields.h"
#include "base/log.h"

namespace manman::api {
namespace {

// A status travels in a header, percent-encoded; clients refuse headers over 8 KiB.
constexpr size_t kMaxMessageBytes = 2000;

}  // namespace

grpc::Status to_status(const Error& error) {
  if (error.code == Code::kInternal || error.code == Code::kUnknown)
    log_error({}, "a call failed: {}", error.text());
  return {static_cast<grpc::StatusCode>(error.code), shortened(error.text(), kMaxMessageBytes)};
}

grpc::Status broken(std::string_view rpc, std::string_view what) {
  return to_status(Error{Code::kInternal, std::string(rpc) + ": " + std::string(what)});
}

}  // namespace manman::api
