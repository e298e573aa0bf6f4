#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace manman {

// Where to listen: "127.0.0.1:8080", "[::1]:8080", "localhost:0" (port 0: any free one).
struct ListenAddress {
  std::string host;  // without brackets
  int port = 0;

  std::string text() const;
  // `what` names the setting in the error: "gRPC address". kInvalidArgument.
  static Result<ListenAddress> parse(std::string_view what, std::string_view text);
};

// Tells a person why one can't listen there, which neither gRPC nor the HTTP library does:
// kUnavailable when the address is in use, kInvalidArgument when no interface or name is like
// that, kPermissionDenied. Success promises nothing: another process may be faster.
Result<void> check_free(std::string_view what, const ListenAddress& address);

}  // namespace manman
