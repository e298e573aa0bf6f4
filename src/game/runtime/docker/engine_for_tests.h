#pragma once

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "base/file.h"
#include "base/sync.h"

namespace manman::docker {

// Listens on a unix socket and answers each request as the test says, byte by byte.
class EngineForTests {
 public:
  // What to send for a request line such as "GET /version HTTP/1.1"; then the connection ends.
  using Answer = std::function<std::string(const std::string& request_line)>;

  explicit EngineForTests(Answer answer) : answer_(std::move(answer)) {
    std::string pattern = (std::filesystem::temp_directory_path() / "manman-dck-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp " + pattern);
    dir_ = pattern;
    listening_ = UniqueFd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, socket().c_str(), sizeof address.sun_path - 1);
    if (::bind(listening_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(listening_.get(), 10) != 0)
      throw std::runtime_error("listen on " + socket());
    thread_ = std::jthread([this] { serve(); });
  }
  ~EngineForTests() {
    ::shutdown(listening_.get(), SHUT_RDWR);  // ends accept()
    thread_.join();
    std::filesystem::remove_all(dir_);
  }

  std::string socket() const { return (dir_ / "s").string(); }
  std::vector<std::string> requests() { return *requests_.lock(); }

  static std::string http(int status, const std::string& body) {
    return "HTTP/1.1 " + std::to_string(status) +
           " x\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }

 private:
  void serve() {
    for (;;) {
      const UniqueFd connection(::accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!connection) return;
      std::string head;
      char buffer[4096];
      while (head.find("\r\n\r\n") == std::string::npos) {
        const ssize_t count = ::recv(connection.get(), buffer, sizeof buffer, 0);
        if (count <= 0) break;
        head.append(buffer, static_cast<size_t>(count));
      }
      const std::string line = head.substr(0, head.find("\r\n"));
      requests_.lock()->push_back(line);
      const std::string answer = answer_(line);
      ::send(connection.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
      ::shutdown(connection.get(), SHUT_WR);
      while (::recv(connection.get(), buffer, sizeof buffer, 0) > 0) continue;
    }
  }

  const Answer answer_;
  std::filesystem::path dir_;
  UniqueFd listening_;
  Sync<std::vector<std::string>> requests_;
  std::jthread thread_;
};

}  // namespace manman::docker
