#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/stream.h"
#include "base/sync.h"
#include "store/s3/sigv4.h"

// HTTP/1.1 over libcurl, which is seen by http.cc only.
namespace manman::s3 {

struct HttpRequest {
  std::string method;
  std::string url;
  Fields headers;
  ConstBytes body;
  MutableBytes into;                   // takes the body of a 206; that of others is kept as text
  std::chrono::seconds stall_timeout;  // moving less than 1 KiB/s for so long is an error
  std::chrono::seconds limit{0};       // for the whole; 0: none
  std::function<bool()> cancelled;     // asked 20 times a second, and whenever bytes move
};

struct HttpResponse {
  int status = 0;                              // 0: none came
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
  size_t received = 0;  // bytes in HttpRequest::into

  // "" when it did not come.
  std::string header(const std::string& name) const;
};

// Keeps connections open for the next request. Thread-safe; each call has a connection of its own.
class HttpClient {
 public:
  HttpClient(std::chrono::seconds connect_timeout, std::filesystem::path ca_file);
  ~HttpClient();

  // `response` is what came, also when it was cut short. Any status is success here; an error is
  // no whole answer: no connection (kUnavailable), nothing moved (kDeadlineExceeded), cancelled
  // (kCancelled), a certificate that is not trusted (kFailedPrecondition).
  Result<void> perform(const HttpRequest& request, HttpResponse& response);

 private:
  struct Handle;
  using HandlePtr = std::unique_ptr<Handle>;
  HandlePtr take();
  void give_back(HandlePtr handle);

  const std::chrono::seconds connect_timeout_;
  const std::filesystem::path ca_file_;
  Sync<std::vector<HandlePtr>> idle_;
};

}  // namespace manman::s3
