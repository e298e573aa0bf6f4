#include "store/s3/http.h"

#include <curl/curl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <mutex>

namespace manman::s3 {
namespace {

constexpr size_t kMaxTextBytes = 16U << 20;  // a page of a list has at most 1,000 keys
constexpr size_t kMaxHeaders = 200;
constexpr long kBufferBytes = 512L << 10;
constexpr long kStallBytesPerSecond = 1024;
// How often a request on which nothing moves asks whether it is cancelled.
constexpr int kLookMs = 50;

// One request under way; what libcurl's callbacks get.
struct Exchange {
  const HttpRequest& request;
  HttpResponse& response;
  const curl_socket_t& socket;  // of the connection
  size_t sent = 0;
};

// Acknowledges what has come at once. A server that sends a body after its header without
// TCP_NODELAY, as Ceph's gateway does unless told otherwise, holds back a short one until the
// header is acknowledged, which the kernel would put off for 40 ms (RFC 1122, 4.2.3.2 and 4.2.3.4).
void acknowledge(curl_socket_t socket) {
  const int on = 1;
  (void)::setsockopt(socket, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
}

// The last socket of a handle is its connection's, or one that was tried for it.
int on_socket(void* user, curl_socket_t socket, curlsocktype) {
  *static_cast<curl_socket_t*>(user) = socket;
  return CURL_SOCKOPT_OK;
}

size_t on_header(char* text, size_t size, size_t count, void* user) {
  auto& [request, response, socket, sent] = *static_cast<Exchange*>(user);
  std::string_view line(text, size * count);
  if (line.starts_with("HTTP/")) {  // also after an interim answer
    response.headers.clear();
    response.status = 0;
    const size_t space = line.find(' ');
    if (space != std::string_view::npos)
      std::from_chars(line.data() + space + 1, line.data() + line.size(), response.status);
    return line.size();
  }
  if (line == "\r\n") acknowledge(socket);
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return line.size();
  if (response.headers.size() >= kMaxHeaders) return 0;
  std::string name(line.substr(0, colon));
  std::ranges::transform(name, name.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
  std::string_view value = line.substr(colon + 1);
  const size_t begin = value.find_first_not_of(" \t\r\n");
  const size_t end = value.find_last_not_of(" \t\r\n");
  response.headers[name] =
      begin == std::string_view::npos ? "" : value.substr(begin, end - begin + 1);
  return line.size();
}

size_t on_body(char* bytes, size_t size, size_t count, void* user) {
  auto& [request, response, socket, sent] = *static_cast<Exchange*>(user);
  const size_t length = size * count;
  if (response.status == 206) {
    if (length > request.into.size() - response.received) return 0;
    std::memcpy(request.into.data() + response.received, bytes, length);
    response.received += length;
    return length;
  }
  if (length > kMaxTextBytes - response.body.size()) return 0;
  response.body.append(bytes, length);
  return length;
}

size_t on_send(char* buffer, size_t size, size_t count, void* user) {
  auto& [request, response, socket, sent] = *static_cast<Exchange*>(user);
  const size_t length = std::min(size * count, request.body.size() - sent);
  std::memcpy(buffer, request.body.data() + sent, length);
  sent += length;
  return length;
}

// A connection that was kept open may turn out to be closed; libcurl then sends on a new one.
int on_rewind(void* user, curl_off_t offset, int origin) {
  if (origin != SEEK_SET) return CURL_SEEKFUNC_CANTSEEK;
  static_cast<Exchange*>(user)->sent = static_cast<size_t>(offset);
  return CURL_SEEKFUNC_OK;
}

Error error_of(CURLcode code, const char* text) {
  const std::string why = *text != '\0' ? text : curl_easy_strerror(code);
  switch (code) {
    case CURLE_ABORTED_BY_CALLBACK:
      return {Code::kCancelled, "cancelled"};
    case CURLE_OPERATION_TIMEDOUT:
      return {Code::kDeadlineExceeded, why, true};
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
      return {Code::kUnavailable, why + " (S3_ENDPOINT)", true};
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_PEER_FAILED_VERIFICATION:
      return {Code::kFailedPrecondition, why + " (S3_CA_FILE names the certificates to trust)"};
    case CURLE_UNSUPPORTED_PROTOCOL:  // no HTTP, or what was left over of an answer too long
      return {Code::kUnavailable, why + " (S3_ENDPOINT)", true};
    case CURLE_URL_MALFORMAT:
      return {Code::kFailedPrecondition, why + " (S3_ENDPOINT)"};
    case CURLE_SSL_CONNECT_ERROR:
      return {Code::kUnavailable, why + " (S3_ENDPOINT: is it https there?)", true};
    case CURLE_WRITE_ERROR:
      return {Code::kDataLoss, "the answer is longer than it should be", true};
    default:
      return {Code::kUnavailable, why, true};
  }
}

}  // namespace

std::string HttpResponse::header(const std::string& name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? "" : found->second;
}

// One request at a time, and the connections that are open for the next. libcurl's own loop
// (curl_easy_perform) may sleep for a second before it notices that it shall end; so the loop is
// ours, over a multi handle.
struct HttpClient::Handle {
  Handle() : curl(curl_easy_init()), multi(curl_multi_init()) {}
  ~Handle() {
    if (curl != nullptr) curl_easy_cleanup(curl);
    if (multi != nullptr) curl_multi_cleanup(multi);
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  CURL* curl;
  CURLM* multi;
  curl_socket_t socket = CURL_SOCKET_BAD;
};

namespace {

struct HeaderList {
  ~HeaderList() { curl_slist_free_all(list); }
  void add(const std::string& line) { list = curl_slist_append(list, line.c_str()); }
  curl_slist* list = nullptr;
};

void set_connection(CURL* curl, const std::filesystem::path& ca_file,
                    std::chrono::seconds connect_timeout, const HttpRequest& request) {
  curl_easy_setopt(curl, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
  curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(curl, CURLOPT_BUFFERSIZE, kBufferBytes);
  curl_easy_setopt(curl, CURLOPT_UPLOAD_BUFFERSIZE, kBufferBytes);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, static_cast<long>(connect_timeout.count()));
  curl_easy_setopt(curl, CURLOPT_TIMEOUT, static_cast<long>(request.limit.count()));
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, kStallBytesPerSecond);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, static_cast<long>(request.stall_timeout.count()));
  if (!ca_file.empty()) curl_easy_setopt(curl, CURLOPT_CAINFO, ca_file.c_str());
}

void set_exchange(CURL* curl, Exchange& exchange) {
  const HttpRequest& request = exchange.request;
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &exchange);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &exchange);
  if (request.method == "HEAD") curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
  if (request.method == "PUT" || request.method == "POST") {
    curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, on_send);
    curl_easy_setopt(curl, CURLOPT_READDATA, &exchange);
    curl_easy_setopt(curl, CURLOPT_SEEKFUNCTION, on_rewind);
    curl_easy_setopt(curl, CURLOPT_SEEKDATA, &exchange);
    curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
  }
  if (request.method != "HEAD" && request.method != "GET")
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request.method.c_str());
}

// Drives what stands in `multi` to its end.
CURLcode drive(CURLM* multi, const std::function<bool()>& cancelled) {
  for (;;) {
    if (cancelled && cancelled()) return CURLE_ABORTED_BY_CALLBACK;
    int running = 0;
    if (curl_multi_perform(multi, &running) != CURLM_OK) return CURLE_FAILED_INIT;
    int left = 0;
    if (const CURLMsg* message = curl_multi_info_read(multi, &left)) return message->data.result;
    if (curl_multi_poll(multi, nullptr, 0, kLookMs, nullptr) != CURLM_OK) return CURLE_FAILED_INIT;
  }
}

// An exchange that is cut off takes its connection with it.
CURLcode run(CURL* curl, CURLM* multi, const std::function<bool()>& cancelled) {
  if (curl_multi_add_handle(multi, curl) != CURLM_OK) return CURLE_FAILED_INIT;
  const CURLcode code = drive(multi, cancelled);
  curl_multi_remove_handle(multi, curl);
  return code;
}

}  // namespace

HttpClient::HttpClient(std::chrono::seconds connect_timeout, std::filesystem::path ca_file)
    : connect_timeout_(connect_timeout), ca_file_(std::move(ca_file)) {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

HttpClient::~HttpClient() = default;

// The one used last: its connection is the least likely to have been closed.
HttpClient::HandlePtr HttpClient::take() {
  auto idle = idle_.lock();
  if (idle->empty()) return std::make_unique<Handle>();
  HandlePtr handle = std::move(idle->back());
  idle->pop_back();
  return handle;
}

void HttpClient::give_back(HandlePtr handle) {
  curl_easy_reset(handle->curl);  // keeps the connections
  idle_.lock()->push_back(std::move(handle));
}

Result<void> HttpClient::perform(const HttpRequest& request, HttpResponse& response) {
  HandlePtr handle = take();
  CURL* const curl = handle->curl;
  if (curl == nullptr || handle->multi == nullptr)
    return fail(Code::kInternal, "libcurl does not start");
  Exchange exchange{request, response, handle->socket};
  HeaderList headers;
  for (const auto& [name, value] : request.headers) headers.add(name + ": " + value);
  headers.add("Expect:");  // a wait that few servers need
  std::array<char, CURL_ERROR_SIZE> text{};
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, text.data());
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.list);
  set_connection(curl, ca_file_, connect_timeout_, request);
  curl_easy_setopt(curl, CURLOPT_SOCKOPTFUNCTION, on_socket);
  curl_easy_setopt(curl, CURLOPT_SOCKOPTDATA, &handle->socket);
  set_exchange(curl, exchange);
  const CURLcode code = run(curl, handle->multi, request.cancelled);
  if (response.status < 200) response.status = 0;
  give_back(std::move(handle));
  if (code == CURLE_OK) return {};
  return std::unexpected(error_of(code, text.data()));
}

}  // namespace manman::s3
