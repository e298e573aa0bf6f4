#pragma once

#include <atomic>
#include <optional>
#include <string>

#include "store/s3/endpoint.h"
#include "store/s3/http.h"
#include "store/s3/retries.h"
#include "store/s3/s3_store.h"

namespace manman::s3 {

struct Request {
  std::string method;
  std::string key = {};  // "": the bucket itself
  Fields query = {};     // not encoded
  Fields headers = {};   // beyond those that signing adds
  ConstBytes body = {};
  std::string body_sha256 = {};                   // hexadecimal; "": computed
  MutableBytes into = {};                         // see HttpRequest
  std::chrono::seconds limit{60};                 // of one try; 0: none
  std::optional<std::chrono::seconds> retry_for;  // instead of the configured one
  std::chrono::seconds stall_timeout{0};          // 0: the configured one
  std::function<bool()> cancelled = nullptr;      // instead of the store's
  std::function<bool()> no_more_tries = nullptr;  // ends the tries, but not the one under way
};

// Signs requests to one bucket, sends them, and sorts what comes back. Thread-safe.
class Client {
 public:
  Client(S3Config config, Endpoint endpoint);

  // One request, tried again while that may help; also when `check` finds a success to be none.
  using Check = std::function<Result<void>(const HttpResponse&)>;
  Result<HttpResponse> send(const Request& request, const Check& check = nullptr);
  // One try. `response` is what came, also with an error. Any status of 200 to 299 is success.
  Result<void> try_once(const Request& request, HttpResponse& response);

  Retries retries(const Request& request) const;
  const S3Config& config() const { return config_; }
  // "s3://bucket/key", for messages.
  std::string name_of(std::string_view key) const;
  // By the server's clock, as far as it is known.
  int64_t now_s() const;

 private:
  HttpRequest signed_request(const Request& request, int64_t now_s) const;

  const S3Config config_;
  const Endpoint endpoint_;
  HttpClient http_;
  std::atomic<int64_t> clock_offset_s_{0};  // the server's clock minus ours
};

}  // namespace manman::s3
