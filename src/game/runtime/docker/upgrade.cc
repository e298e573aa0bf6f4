// A request that switches protocols: libcurl leaves these to a plain socket.

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "base/file.h"
#include "game/runtime/docker/engine_errors.h"
#include "game/runtime/docker/engine_http.h"
#include "game/runtime/docker/http_head.h"

namespace manman::docker {
namespace {

using std::chrono::milliseconds;

constexpr size_t kMaxErrorBytes = 64U << 10;
constexpr milliseconds kAnswerPatience{10000};

Result<UniqueFd> connect_to(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    return std::unexpected(unreachable(path, ENAMETOOLONG));
  std::memcpy(address.sun_path, path.c_str(), path.size());
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return fail_errno("make a socket", errno);
  // Of a unix socket that is at once done, or refused, or (EAGAIN) the engine has too many waiting.
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return std::unexpected(unreachable(path, errno));
  return fd;
}

// One connection to the engine. A wait in which nothing moves for the patience is
// kDeadlineExceeded.
class Connection {
 public:
  explicit Connection(UniqueFd fd) : fd_(std::move(fd)) {}

  void set_patience(milliseconds patience) { patience_ = patience; }

  Result<void> send(std::string_view bytes) {
    for (size_t sent = 0; sent < bytes.size();) {
      TRY(wait_for(POLLOUT));
      const ssize_t count =
          ::send(fd_.get(), bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
      if (count >= 0) sent += static_cast<size_t>(count);
      if (count < 0 && errno != EINTR && errno != EAGAIN) return broken(errno);
    }
    return {};
  }

  void end_sending() { ::shutdown(fd_.get(), SHUT_WR); }

  // "" once the engine has ended its side.
  Result<std::string> receive() {
    for (;;) {
      TRY(wait_for(POLLIN));
      std::array<char, 4096> buffer;
      const ssize_t count = ::recv(fd_.get(), buffer.data(), buffer.size(), 0);
      if (count >= 0) return std::string(buffer.data(), static_cast<size_t>(count));
      if (errno != EINTR && errno != EAGAIN) return broken(errno);
    }
  }

 private:
  static std::unexpected<Error> broken(int error_number) {
    return fail(Code::kUnavailable, std::string("the connection to Docker Engine broke: ") +
                                        std::strerror(error_number));
  }
  Result<void> wait_for(short events) {
    pollfd waiting{fd_.get(), events, 0};
    int ready = 0;
    do ready = ::poll(&waiting, 1, static_cast<int>(patience_.count()));
    while (ready < 0 && errno == EINTR);
    if (ready < 0) return fail_errno("wait for Docker Engine", errno);
    if (ready == 0) return fail(Code::kDeadlineExceeded, "Docker Engine gives no answer");
    return {};
  }

  UniqueFd fd_;
  milliseconds patience_ = kAnswerPatience;
};

// The answer's head, and of its body what came along.
Result<HttpAnswer> receive_head(Connection& connection) {
  std::string received;
  for (;;) {
    if (const auto head = TRY(parse_http_head(received)))
      return HttpAnswer{head->status, received.substr(head->size_bytes)};
    const std::string more = TRY(connection.receive());
    if (more.empty()) return fail(Code::kUnavailable, "Docker Engine ended the connection");
    received += more;
  }
}

// The engine ends its side when it has passed on all that it got.
Result<void> send_and_drain(Connection& connection, std::string_view bytes, std::string* body) {
  TRY(connection.send(bytes));
  connection.end_sending();
  for (;;) {
    const std::string more = TRY(connection.receive());
    if (more.empty()) return {};
    if (body->size() < kMaxErrorBytes) *body += more;
  }
}

}  // namespace

Result<HttpAnswer> EngineHttp::upgrade_and_send(const std::string& target, std::string_view bytes,
                                                milliseconds patience) const {
  Connection connection(TRY(connect_to(socket_)));
  TRY(connection.send("POST " + target +
                      " HTTP/1.1\r\nHost: docker\r\nContent-Length: 0\r\n"
                      "Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n"));
  HttpAnswer answer = TRY(receive_head(connection));
  if (answer.status != 101) return answer;
  answer.body.clear();
  connection.set_patience(patience);
  const auto taken = send_and_drain(connection, bytes, &answer.body);
  if (!taken && taken.error().code == Code::kDeadlineExceeded)
    return fail(Code::kUnavailable, "not all of it was taken");
  if (!taken) return std::unexpected(taken.error());
  return answer;
}

}  // namespace manman::docker
