#include "http/listen_address.h"

#include <netdb.h>
#include <sys/socket.h>

#include <cerrno>
#include <charconv>
#include <memory>

#include "base/file.h"

namespace manman {
namespace {

std::string named(std::string_view what, const ListenAddress& address) {
  return std::string(what) + " " + address.text();
}

Result<void> check_one(std::string_view what, const ListenAddress& address, const addrinfo& info) {
  const UniqueFd fd(::socket(info.ai_family, info.ai_socktype | SOCK_CLOEXEC, info.ai_protocol));
  if (!fd) return {};  // no IPv6 on this machine, say
  const int yes = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  if (::bind(fd.get(), info.ai_addr, info.ai_addrlen) == 0 && ::listen(fd.get(), 1) == 0) return {};
  switch (errno) {
    case EADDRINUSE:
      return std::unexpected(
          Error{Code::kUnavailable, named(what, address) + " is in use", true}.with_hint(
              "another manman may be running; choose another port, or 0 for any free one"));
    case EADDRNOTAVAIL:
      return fail(Code::kInvalidArgument, named(what, address) + ": this machine has no such host");
    default:
      return std::unexpected(errno_error(named(what, address), errno));
  }
}

}  // namespace

std::string ListenAddress::text() const {
  const bool ipv6 = host.find(':') != std::string::npos;
  return (ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Result<ListenAddress> ListenAddress::parse(std::string_view what, std::string_view text) {
  const auto bad = [&](std::string_view why) {
    return std::unexpected(
        Error{Code::kInvalidArgument,
              std::string(what) + " '" + std::string(text) + "': " + std::string(why)}
            .with_hint("write it as HOST:PORT, as in 127.0.0.1:8080 or [::1]:8080"));
  };
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return bad("has no port");
  std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  if (host.starts_with('[') && host.ends_with(']'))
    host = host.substr(1, host.size() - 2);
  else if (host.find(':') != std::string_view::npos)
    return bad("an IPv6 host stands in brackets");
  if (host.empty()) return bad("has no host");
  ListenAddress address{.host = std::string(host)};
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (error != std::errc() || end != port.data() + port.size() || address.port < 0 ||
      address.port > 65535)
    return bad("the port must be 0 to 65535");
  return address;
}

Result<void> check_free(std::string_view what, const ListenAddress& address) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  const int failed =
      ::getaddrinfo(address.host.c_str(), std::to_string(address.port).c_str(), &hints, &found);
  if (failed != 0)
    return fail(Code::kInvalidArgument, named(what, address) + ": " + ::gai_strerror(failed));
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> all(found, ::freeaddrinfo);
  for (const addrinfo* info = all.get(); info != nullptr; info = info->ai_next)
    TRY(check_one(what, address, *info));
  return {};
}

}  // namespace manman
