#include "game/rcon/rcon_client.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

namespace manman {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// Types of packets; a server's answers to kLogin and kCommand are of the other two.
constexpr int32_t kValue = 0;
constexpr int32_t kCommand = 2;
constexpr int32_t kLoginAnswer = 2;
constexpr int32_t kLogin = 3;
constexpr int32_t kRefused = -1;  // as id

constexpr size_t kSizeBytes = 4;
constexpr size_t kHeadBytes = 8;               // id and type
constexpr size_t kLeastSize = kHeadBytes + 2;  // and two NULs
constexpr milliseconds kLookInterval{20};      // at `stop`
constexpr milliseconds kQuiet{1000};           // of a server that leaves the end of a response open
constexpr int32_t kMaxId = 1'000'000'000;

void put(std::string& to, int32_t value) {
  const auto bits = static_cast<uint32_t>(value);
  for (unsigned shift = 0; shift < 32; shift += 8) to += static_cast<char>(bits >> shift & 0xFFU);
}

int32_t number_at(std::string_view from, size_t at) {
  uint32_t bits = 0;
  for (size_t i = 0; i < 4; i++)
    bits |= static_cast<uint32_t>(static_cast<unsigned char>(from[at + i])) << (8 * i);
  return static_cast<int32_t>(bits);
}

bool connection_is_gone(int error) {
  return error == ECONNREFUSED || error == ECONNRESET || error == EPIPE || error == ETIMEDOUT ||
         error == EHOSTUNREACH || error == ENETUNREACH || error == ECONNABORTED;
}

std::unexpected<Error> failed(const std::string& what, int error) {
  if (connection_is_gone(error))
    return fail(Code::kUnavailable, what + ": " + std::strerror(error));
  return fail_errno(what, error);
}

// Until the socket is ready for `events`.
Result<void> wait_for(int fd, short events, RconClient::Deadline deadline,
                      const RconClient::Stop& stop) {
  for (;;) {
    if (stop && stop()) return fail(Code::kCancelled, "cancelled");
    const auto left = std::chrono::ceil<milliseconds>(deadline - Clock::now());
    pollfd waiting{fd, events, 0};
    const int ready = ::poll(
        &waiting, 1, static_cast<int>(std::clamp(left, milliseconds(0), kLookInterval).count()));
    if (ready > 0) return {};
    if (ready < 0 && errno != EINTR) return fail_errno("poll", errno);
    if (left.count() <= 0) return fail(Code::kDeadlineExceeded, "no answer in time");
  }
}

using Addresses = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

Result<Addresses> resolve(const std::string& address, int port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (port < 1 || port > 65535 ||
      ::getaddrinfo(address.c_str(), std::to_string(port).c_str(), &hints, &found) != 0)
    return fail(Code::kInvalidArgument, "it wants an IP address, and a port from 1 to 65535");
  return Addresses(found, &::freeaddrinfo);
}

Result<UniqueFd> open_connection(const std::string& address, int port,
                                 RconClient::Deadline deadline, const RconClient::Stop& stop) {
  const Addresses to = TRY(resolve(address, port));
  UniqueFd fd(::socket(to->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return fail_errno("socket", errno);
  const int yes = 1;
  ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  if (::connect(fd.get(), to->ai_addr, to->ai_addrlen) != 0) {
    if (errno != EINPROGRESS) return failed("connect", errno);
    TRY(wait_for(fd.get(), POLLOUT, deadline, stop));
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) return failed("connect", error);
  }
  return fd;
}

}  // namespace

Result<RconClient> RconClient::connect(const std::string& address, int port,
                                       std::string_view password, Deadline deadline,
                                       const Stop& stop) {
  const std::string name = "RCON " + address + ":" + std::to_string(port);
  RconClient client(TRY(in(name, open_connection(address, port, deadline, stop))), name);
  TRY(in(name, client.log_in(password, deadline, stop)));
  return client;
}

Result<std::string> RconClient::command(std::string_view line, Deadline deadline,
                                        const Stop& stop) {
  if (!fd_) return fail(Code::kUnavailable, name_ + ": the connection has ended");
  if (line.size() > kMaxCommandBytes || line.find('\0') != std::string_view::npos)
    return fail(Code::kInvalidArgument, name_ + ": a command must be at most " +
                                            std::to_string(kMaxCommandBytes) +
                                            " bytes without NUL");
  return in(name_, closing_if_broken(ask(line, deadline, stop)));
}

template <typename T>
Result<T> RconClient::closing_if_broken(Result<T> result) {
  if (!result && result.error().code != Code::kDeadlineExceeded &&
      result.error().code != Code::kCancelled)
    fd_.reset();
  return result;
}

Result<void> RconClient::log_in(std::string_view password, Deadline deadline, const Stop& stop) {
  if (password.empty() || password.size() > kMaxCommandBytes ||
      password.find('\0') != std::string_view::npos)
    return fail(Code::kInvalidArgument, "the password must be 1 to 1446 bytes without NUL");
  const int32_t id = ++last_id_;
  TRY(send(id, kLogin, password, deadline, stop));
  for (;;) {
    // Source sends an empty value first.
    const Packet packet = TRY(receive(deadline, stop));
    if (packet.type != kLoginAnswer) continue;
    if (packet.id == id) return {};
    if (packet.id == kRefused)
      return fail(Code::kPermissionDenied, "the game refuses the password");
    return fail(Code::kDataLoss, "the answer to the login is that to another");
  }
}

// Nothing in a response tells that it is complete. So an empty value is sent after it, to which
// servers answer with an empty value (Source) or that they don't know it (Minecraft), once the
// command's response is out. Not before the response has begun: Minecraft takes what it reads at
// once for one packet, and ends the connection when it is two.
Result<std::string> RconClient::ask(std::string_view line, Deadline deadline, const Stop& stop) {
  if (last_id_ >= kMaxId) last_id_ = 0;
  const int32_t id = ++last_id_;
  const int32_t end_id = ++last_id_;
  TRY(send(id, kCommand, line, deadline, stop));
  std::string response;
  bool end_asked = false;
  for (Deadline quiet = deadline;;) {
    auto packet = receive(std::min(deadline, quiet), stop);
    if (!packet) {
      // Some servers answer to commands alone.
      const bool was_quiet =
          end_asked && quiet < deadline && packet.error().code == Code::kDeadlineExceeded;
      if (was_quiet) return response;
      return std::unexpected(std::move(packet).error());
    }
    if (packet->id == end_id && end_asked) return response;
    if (packet->id != id || packet->type != kValue) continue;  // of an earlier command, or of none
    if (response.size() + packet->body.size() > kMaxResponseBytes)
      return fail(Code::kResourceExhausted, "the response is longer than 1 MiB");
    response += packet->body;
    if (!end_asked) TRY(send(end_id, kValue, "", deadline, stop));
    end_asked = true;
    quiet = Clock::now() + kQuiet;
  }
}

Result<void> RconClient::send(int32_t id, int32_t type, std::string_view body, Deadline deadline,
                              const Stop& stop) {
  std::string packet;
  put(packet, static_cast<int32_t>(kLeastSize + body.size()));
  put(packet, id);
  put(packet, type);
  packet.append(body).append(2, '\0');
  for (size_t sent = 0; sent < packet.size();) {
    const ssize_t count =
        ::send(fd_.get(), packet.data() + sent, packet.size() - sent, MSG_NOSIGNAL);
    if (count > 0) {
      sent += static_cast<size_t>(count);
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      const auto ready = wait_for(fd_.get(), POLLOUT, deadline, stop);
      if (!ready) {
        fd_.reset();  // what follows would stand within this packet
        return ready;
      }
    } else if (errno != EINTR) {
      return failed("send", errno);
    }
  }
  return {};
}

Result<RconClient::Packet> RconClient::receive(Deadline deadline, const Stop& stop) {
  for (;;) {
    Packet packet;
    if (TRY(take_packet(packet))) return packet;
    TRY(wait_for(fd_.get(), POLLIN, deadline, stop));
    std::array<char, 8192> buffer{};
    const ssize_t count = ::recv(fd_.get(), buffer.data(), buffer.size(), 0);
    if (count > 0) {
      received_.append(buffer.data(), static_cast<size_t>(count));
    } else if (count == 0) {
      return fail(Code::kUnavailable, "the game has closed the connection");
    } else if (errno != EINTR && errno != EAGAIN && errno != EWOULDBLOCK) {
      return failed("receive", errno);
    }
    // Of packets that come without end none may be worth anything.
    if (Clock::now() >= deadline) return fail(Code::kDeadlineExceeded, "no answer in time");
  }
}

Result<bool> RconClient::take_packet(Packet& packet) {
  if (received_.size() < kSizeBytes) return false;
  const int32_t size = number_at(received_, 0);
  if (size < static_cast<int32_t>(kLeastSize) ||
      size > static_cast<int32_t>(kLeastSize + kMaxResponseBytes))
    return fail(Code::kDataLoss,
                "what answers speaks no RCON: a packet of " + std::to_string(size) + " bytes");
  if (received_.size() < kSizeBytes + static_cast<size_t>(size)) return false;
  packet.id = number_at(received_, kSizeBytes);
  packet.type = number_at(received_, kSizeBytes + 4);
  packet.body = received_.substr(kSizeBytes + kHeadBytes, static_cast<size_t>(size) - kHeadBytes);
  for (int i = 0; i < 2 && packet.body.ends_with('\0'); i++) packet.body.pop_back();
  received_.erase(0, kSizeBytes + static_cast<size_t>(size));
  return true;
}

}  // namespace manman
