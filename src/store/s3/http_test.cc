#include "store/s3/http.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <thread>

#include "base/file.h"

namespace manman::s3 {
namespace {

// Answers each request of one connection, header and body in packets of their own, and leaves
// Nagle's algorithm on: the body is on its way once the header has been acknowledged.
class ServerInTwoPackets {
 public:
  ServerInTwoPackets() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(listener_.get(), 1), 0);
    EXPECT_EQ(::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::jthread([this] { serve(); });
  }
  ~ServerInTwoPackets() { ::shutdown(listener_.get(), SHUT_RDWR); }

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/"; }

 private:
  void serve() {
    const UniqueFd connection(::accept(listener_.get(), nullptr, nullptr));
    std::string request;
    std::array<char, 4096> buffer{};
    for (;;) {
      const ssize_t count = ::recv(connection.get(), buffer.data(), buffer.size(), 0);
      if (count <= 0) return;
      request.append(buffer.data(), static_cast<size_t>(count));
      if (!request.ends_with("\r\n\r\n")) continue;
      request.clear();
      send(connection, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
      send(connection, "short");
    }
  }
  static void send(const UniqueFd& connection, std::string_view bytes) {
    EXPECT_EQ(::send(connection.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }

  UniqueFd listener_;
  uint16_t port_ = 0;
  std::jthread thread_;
};

TEST(HttpClient, AShortBodyBehindItsHeaderIsNotHeldBack) {
  using namespace std::chrono_literals;
  const ServerInTwoPackets server;
  HttpClient client(5s, "");
  std::vector<std::chrono::steady_clock::duration> times;
  for (int i = 0; i < 41; i++) {
    const auto begun = std::chrono::steady_clock::now();
    HttpResponse response;
    const auto done =
        client.perform({.method = "GET", .url = server.url(), .stall_timeout = 5s}, response);
    ASSERT_TRUE(done) << done.error().message;
    EXPECT_EQ(response.body, "short");
    times.push_back(std::chrono::steady_clock::now() - begun);
  }
  // Put off, an acknowledgement takes 40 ms.
  std::ranges::nth_element(times, times.begin() + 20);
  EXPECT_LT(times[20], 30ms);
}

}  // namespace
}  // namespace manman::s3
