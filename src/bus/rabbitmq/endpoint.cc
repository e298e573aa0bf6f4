#include "bus/rabbitmq/endpoint.h"

#include <charconv>
#include <utility>

namespace manman::rabbitmq {
namespace {

constexpr size_t kMaxPartBytes = 255;  // AMQP's short strings

std::unexpected<Error> bad(std::string what) {
  return std::unexpected(
      Error{Code::kInvalidArgument, std::move(what)}.with_hint("the form is "
                                                               "amqp://USER:PASSWORD@HOST:PORT/"
                                                               "VHOST, or amqps:// for TLS"));
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

Result<std::string> decode(std::string_view what, std::string_view text) {
  std::string result;
  for (size_t i = 0; i < text.size(); i++) {
    if (text[i] != '%') {
      result += text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
    if (high < 0 || low < 0)
      return bad("the " + std::string(what) +
                 " holds a % that two hexadecimal digits don't follow");
    result += static_cast<char>(high * 16 + low);
    i += 2;
  }
  if (result.size() > kMaxPartBytes || result.contains('\0'))
    return bad("the " + std::string(what) + " must be at most 255 bytes, none of them 0");
  return result;
}

Result<uint16_t> parse_port(std::string_view text) {
  uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port == 0)
    return bad("the port must be 1 to 65535");
  return port;
}

Result<void> parse_login(std::string_view text, Endpoint& endpoint) {
  const size_t colon = text.find(':');
  endpoint.user = TRY(decode("user name", text.substr(0, colon)));
  if (endpoint.user.empty()) return bad("the user name is empty");
  if (colon == std::string_view::npos) return bad("there is a user name, but no password");
  endpoint.password = TRY(decode("password", text.substr(colon + 1)));
  return {};
}

Result<void> parse_host(std::string_view text, Endpoint& endpoint) {
  size_t end = text.find(':');
  if (text.starts_with('[')) {  // IPv6
    end = text.find(']');
    if (end == std::string_view::npos) return bad("the host's [ is not closed");
    endpoint.host = text.substr(1, end - 1);
    end++;
  } else {
    endpoint.host = TRY(decode("host", text.substr(0, end)));
  }
  if (endpoint.host.empty()) return bad("the host is missing");
  if (end >= text.size()) return {};
  if (text[end] != ':') return bad("after the host comes :PORT or /VHOST");
  endpoint.port = TRY(parse_port(text.substr(end + 1)));
  return {};
}

}  // namespace

std::string Endpoint::address() const {
  const bool ipv6 = host.contains(':');
  return (ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Result<Endpoint> parse_url(std::string_view url) {
  Endpoint endpoint{.user = "guest", .password = "guest", .vhost = "/"};
  if (url.starts_with("amqps://"))
    endpoint.tls = true;
  else if (!url.starts_with("amqp://"))
    return bad("it does not begin with amqp:// or amqps://");
  endpoint.port = endpoint.tls ? 5671 : 5672;
  url.remove_prefix(endpoint.tls ? 8 : 7);

  const size_t end = url.find_first_of("/?#");
  const std::string_view authority = url.substr(0, end);
  const std::string_view path = end == std::string_view::npos ? "" : url.substr(end);
  // Read on, such a password would become part of a host or virtual host, and be shown.
  if (path.contains('@'))
    return bad(
        "a /, ?, # or @ in the user name, password or virtual host must be written as %2F, "
        "%3F, %23 or %40");
  if (path.find_first_of("?#") != std::string_view::npos)
    return bad("parameters after ? or # are not known");

  const size_t at = authority.rfind('@');
  if (at != std::string_view::npos) TRY(parse_login(authority.substr(0, at), endpoint));
  TRY(parse_host(authority.substr(at == std::string_view::npos ? 0 : at + 1), endpoint));
  if (path.size() > 1) {
    if (path.find('/', 1) != std::string_view::npos)
      return bad("a / in the virtual host must be written as %2F");
    endpoint.vhost = TRY(decode("virtual host", path.substr(1)));
  }
  return endpoint;
}

}  // namespace manman::rabbitmq
