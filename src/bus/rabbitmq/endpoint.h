#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace manman::rabbitmq {

// What a URL says about where the broker is, and as whom to log in.
struct Endpoint {
  bool tls = false;
  std::string host;
  uint16_t port = 0;
  std::string user;
  std::string password;
  std::string vhost;

  // "host:port", for messages.
  std::string address() const;
};

// kInvalidArgument names the part that is wrong, and never shows what might be a password.
Result<Endpoint> parse_url(std::string_view url);

}  // namespace manman::rabbitmq
