#include "api/rpc/answer.h"

#include "base/log.h"

namespace manman::api {
namespace {

// A status travels in a header, percent-encoded; clients refuse headers over 8 KiB.
constexpr size_t kMaxMessageBytes = 2000;

std::string shortened(std::string text) {
  if (text.size() <= kMaxMessageBytes) return text;
  size_t end = kMaxMessageBytes;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80) end--;
  return text.substr(0, end) + "…";
}

}  // namespace

grpc::Status to_status(const Error& error) {
  if (error.code == Code::kInternal || error.code == Code::kUnknown)
    log_error({}, "a call failed: {}", error.text());
  return {static_cast<grpc::StatusCode>(error.code), shortened(error.text())};
}

grpc::Status broken(std::string_view rpc, std::string_view what) {
  return to_status(Error{Code::kInternal, std::string(rpc) + ": " + std::string(what)});
}

}  // namespace manman::api
