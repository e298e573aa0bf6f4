#include "bus/rabbitmq/tcp.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <memory>
#include <system_error>

namespace manman::rabbitmq {
namespace {

using std::chrono::steady_clock;
using Addresses = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

Result<Addresses> look_up(const Endpoint& endpoint) {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error =
      ::getaddrinfo(endpoint.host.c_str(), std::to_string(endpoint.port).c_str(), &wanted, &found);
  if (error != 0)
    return fail(Code::kUnavailable,
                "host " + endpoint.host + " is not found: " + ::gai_strerror(error));
  return Addresses(found, &::freeaddrinfo);
}

// 0, or the errno of why there is no connection.
int wait_connected(int socket, steady_clock::time_point deadline, Waker& waker) {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - steady_clock::now());
    if (left.count() <= 0) return ETIMEDOUT;
    if (waker.is_cut()) return ECANCELED;
    if (waker.wait(socket, POLLOUT, left)) break;
  }
  int error = 0;
  socklen_t size = sizeof(error);
  if (::getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size) != 0) return errno;
  return error;
}

int connect(const addrinfo& address, UniqueFd& socket, steady_clock::time_point deadline,
            Waker& waker) {
  socket = UniqueFd(::socket(address.ai_family, address.ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK,
                             address.ai_protocol));
  if (!socket) return errno;
  const int on = 1;
  ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  if (::connect(socket.get(), address.ai_addr, address.ai_addrlen) == 0) return 0;
  if (errno != EINPROGRESS) return errno;
  return wait_connected(socket.get(), deadline, waker);
}

}  // namespace

Result<UniqueFd> connect_tcp(const Endpoint& endpoint, std::chrono::milliseconds timeout,
                             Waker& waker) {
  const auto addresses = TRY(look_up(endpoint));
  const auto deadline = steady_clock::now() + timeout;
  int error = 0;
  for (const addrinfo* address = addresses.get(); address != nullptr; address = address->ai_next) {
    UniqueFd socket;
    error = connect(*address, socket, deadline, waker);
    if (error == 0) return socket;
    if (error == ECANCELED) return fail(Code::kCancelled, "the bus ends");
  }
  return fail(Code::kUnavailable, "no connection to " + endpoint.address() + ": " +
                                      std::generic_category().message(error));
}

}  // namespace manman::rabbitmq
