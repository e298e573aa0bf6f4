#include "game/runtime/docker/engine_http.h"

#include <curl/curl.h>

#include <cstring>
#include <memory>
#include <optional>

#include "game/runtime/docker/engine_errors.h"

namespace manman::docker {
namespace {

using std::chrono::milliseconds;

constexpr long kConnectTimeoutMs = 5000;
constexpr int kIdleMs = 5000;  // how often go_on is asked while nothing comes

struct FreeEasy {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
struct FreeMulti {
  void operator()(CURLM* handle) const { curl_multi_cleanup(handle); }
};
struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

// One request. The write callback is called by libcurl, through which no exception may pass.
class Request {
 public:
  using Take = std::function<Result<void>(std::string_view)>;

  Request(const std::string& socket, const std::string& target, Take take = {})
      : socket_(socket), target_(target), take_(std::move(take)), handle_(curl_easy_init()) {
    set(CURLOPT_UNIX_SOCKET_PATH, socket.c_str());
    set(CURLOPT_URL, ("http://docker" + target).c_str());
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_PROXY, "");
    set(CURLOPT_CONNECTTIMEOUT_MS, kConnectTimeoutMs);
    set(CURLOPT_WRITEFUNCTION, &Request::on_body);
    set(CURLOPT_WRITEDATA, this);
  }

  void send(const std::string& method, const std::string& body, milliseconds timeout) {
    set(CURLOPT_TIMEOUT_MS, static_cast<long>(timeout.count()));
    set(CURLOPT_CUSTOMREQUEST, method.c_str());
    if (body.empty() && method != "POST") return;
    headers_.reset(curl_slist_append(nullptr, "Content-Type: application/json"));
    set(CURLOPT_HTTPHEADER, headers_.get());
    set(CURLOPT_POSTFIELDSIZE, static_cast<long>(body.size()));
    set(CURLOPT_COPYPOSTFIELDS, body.c_str());
  }

  CURL* handle() const { return handle_.get(); }

  Result<HttpAnswer> finish(CURLcode code) {
    if (failure_) return std::unexpected(*std::move(failure_));
    if (code == CURLE_OK) return HttpAnswer{static_cast<int>(info(CURLINFO_RESPONSE_CODE)), body_};
    const std::string path = target_.substr(0, target_.find('?'));
    if (code == CURLE_COULDNT_CONNECT)
      return std::unexpected(unreachable(socket_, static_cast<int>(info(CURLINFO_OS_ERRNO))));
    if (code == CURLE_OPERATION_TIMEDOUT)
      return fail(Code::kDeadlineExceeded,
                  "Docker Engine at " + socket_ + " gave no answer to " + path + " in time");
    return fail(Code::kUnavailable,
                "Docker Engine at " + socket_ + ", " + path + ": " + curl_easy_strerror(code));
  }

 private:
  template <typename T>
  void set(CURLoption option, T value) {
    curl_easy_setopt(handle_.get(), option, value);
  }
  long info(CURLINFO which) const {
    long value = 0;
    curl_easy_getinfo(handle_.get(), which, &value);
    return value;
  }

  static size_t on_body(const char* bytes, size_t /*one*/, size_t size, void* self) noexcept {
    auto taken = static_cast<Request*>(self)->take(std::string_view(bytes, size));
    if (taken) return size;
    static_cast<Request*>(self)->failure_ = std::move(taken).error();
    return size == 0 ? 1 : 0;  // anything but size ends the transfer
  }
  Result<void> take(std::string_view bytes) {
    if (take_ && info(CURLINFO_RESPONSE_CODE) == 200) return take_(bytes);
    if (body_.size() + bytes.size() > EngineHttp::kMaxBodyBytes)
      return fail(Code::kOutOfRange, "Docker Engine's answer to " + target_ + " is over 16 MiB");
    body_ += bytes;
    return {};
  }

  const std::string& socket_;
  const std::string target_;
  const Take take_;
  std::string body_;
  std::optional<Error> failure_;
  std::unique_ptr<curl_slist, FreeList> headers_;
  std::unique_ptr<CURL, FreeEasy> handle_;
};

// Drives one transfer until its end or until go_on says no; nothing then.
std::optional<CURLcode> drive(CURLM* multi, const EngineHttp::Stream& stream) {
  for (;;) {
    int running = 0;
    if (curl_multi_perform(multi, &running) != CURLM_OK) return CURLE_RECV_ERROR;
    int left = 0;
    if (const CURLMsg* message = curl_multi_info_read(multi, &left)) return message->data.result;
    curl_waitfd wake{stream.wake_fd, CURL_WAIT_POLLIN, 0};
    int ready = 0;
    curl_multi_poll(multi, &wake, stream.wake_fd >= 0 ? 1U : 0U, kIdleMs, &ready);
    if ((ready == 0 || wake.revents != 0) && !stream.go_on()) return std::nullopt;
  }
}

}  // namespace

Result<HttpAnswer> EngineHttp::request(const std::string& method, const std::string& target,
                                       const std::string& body, milliseconds timeout) const {
  Request request(socket_, target);
  request.send(method, body, timeout);
  return request.finish(curl_easy_perform(request.handle()));
}

Result<HttpAnswer> EngineHttp::stream(const Stream& stream) const {
  Request request(socket_, stream.target, stream.take);
  const std::unique_ptr<CURLM, FreeMulti> multi(curl_multi_init());
  curl_multi_add_handle(multi.get(), request.handle());
  const auto code = drive(multi.get(), stream);
  curl_multi_remove_handle(multi.get(), request.handle());
  if (!code) return HttpAnswer{200, {}};
  return request.finish(*code);
}

}  // namespace manman::docker
