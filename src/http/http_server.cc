#include "http/http_server.h"

#include <httplib.h>

#include <thread>

#include "http/listen_address.h"

namespace manman {
namespace {

constexpr const char* kWhat = "HTTP address";
constexpr size_t kThreads = 8;
constexpr size_t kMaxRequestBytes = 64 * 1024;
constexpr int kTimeoutSeconds = 5;

// The library would set SO_REUSEPORT, with which two processes share a port unknowingly.
void socket_options(socket_t socket) {
  const int yes = 1;
  ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
}

}  // namespace

class HttpServer::Impl {
 public:
  explicit Impl(const HttpPages& pages) {
    server_.new_task_queue = [] { return new httplib::ThreadPool(kThreads); };  // NOLINT: its API
    server_.set_socket_options(socket_options);
    server_.set_keep_alive_max_count(1);  // an idle client must not hold one of few threads
    server_.set_read_timeout(kTimeoutSeconds);
    server_.set_write_timeout(kTimeoutSeconds);
    server_.set_payload_max_length(kMaxRequestBytes);
    for (const auto& [path, page] : pages)
      server_.Get(path, [&page](const httplib::Request&, httplib::Response& response) {
        const HttpAnswer answer = page();
        response.status = answer.status;
        response.set_content(answer.body, answer.content_type);
      });
    server_.set_error_handler([](const httplib::Request&, httplib::Response& response) {
      if (response.body.empty())
        response.set_content(std::to_string(response.status) + "\n", "text/plain");
    });
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  ~Impl() {
    // stop() does nothing to a server whose loop has not begun yet.
    while (running_ && !server_.is_running() && !ended_) std::this_thread::yield();
    server_.stop();
    if (thread_.joinable()) thread_.join();
  }

  Result<void> listen(ListenAddress wanted) {
    const int port = wanted.port == 0 ? server_.bind_to_any_port(wanted.host) : wanted.port;
    if (port < 0 || (wanted.port != 0 && !server_.bind_to_port(wanted.host, port)))
      return fail(Code::kUnavailable, std::string(kWhat) + " " + wanted.text() + " is in use");
    wanted.port = port;
    address_ = wanted.text();
    running_ = true;
    thread_ = std::thread([this] {
      server_.listen_after_bind();
      ended_ = true;
    });
    return {};
  }

  const std::string& address() const { return address_; }

 private:
  httplib::Server server_;
  std::string address_;
  bool running_ = false;
  std::atomic<bool> ended_{false};
  std::thread thread_;
};

HttpServer::HttpServer(HttpPages pages) : pages_(std::move(pages)) {}
HttpServer::~HttpServer() {
  stop();
}

Result<void> HttpServer::start(const std::string& text) {
  const auto address = TRY(ListenAddress::parse(kWhat, text));
  TRY(check_free(kWhat, address));
  auto impl = std::make_unique<Impl>(pages_);
  TRY(impl->listen(address));
  impl_ = std::move(impl);
  return {};
}

void HttpServer::stop() {
  impl_.reset();
}

std::string HttpServer::address() const {
  return impl_ ? impl_->address() : "";
}

}  // namespace manman
