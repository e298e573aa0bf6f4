#include "store/s3/client.h"

#include "base/file.h"
#include "base/log.h"
#include "base/sha256.h"
#include "base/time.h"
#include "store/s3/answer.h"
#include "store/s3/sigv4.h"
#include "store/s3/xml.h"

namespace manman::s3 {

Client::Client(S3Config config, Endpoint endpoint)
    : config_(std::move(config)),
      endpoint_(std::move(endpoint)),
      http_(config_.connect_timeout, config_.ca_file) {}

Retries Client::retries(const Request& request) const {
  const auto& cancelled = request.no_more_tries ? request.no_more_tries : request.cancelled;
  return {request.retry_for.value_or(config_.retry_for), cancelled ? cancelled : config_.cancelled};
}

Result<HttpResponse> Client::send(const Request& request, const Check& check) {
  Retries tries = retries(request);
  while (true) {
    HttpResponse response;
    auto sent = try_once(request, response);
    if (sent && check) sent = check(response);
    if (sent) return response;
    if (!tries.again(sent.error())) return std::unexpected(tries.give_up(std::move(sent).error()));
  }
}

Result<void> Client::try_once(const Request& request, HttpResponse& response) {
  const int64_t signed_at_s = now_s();
  auto sent = http_.perform(signed_request(request, signed_at_s), response);
  // A server that refuses early may cut the connection while the body is still on its way.
  const bool refused = response.status >= 300 && parse_error(response.body).has_value();
  if (!sent && !refused) return sent;
  if (response.status >= 200 && response.status < 300) return {};
  Error error = error_of(response, config_, request.key);
  if (is_skewed(response, signed_at_s) && date_of(response) != 0) {
    clock_offset_s_ = date_of(response) - system_clock().now_s();
    log_warn({},
             "the clock of the S3 server is {} s from this machine's; requests are signed by it",
             clock_offset_s_.load());
    error.retryable = true;
  }
  return std::unexpected(std::move(error));
}

HttpRequest Client::signed_request(const Request& request, int64_t now_s) const {
  const std::string path = endpoint_.path(request.key);
  const std::string payload_hash =
      request.body_sha256.empty() ? to_hex(Sha256::of(request.body)) : request.body_sha256;
  HttpRequest out;
  out.method = request.method;
  out.headers = request.headers;
  out.headers.emplace_back("host", endpoint_.host);
  out.headers.emplace_back("x-amz-content-sha256", payload_hash);
  out.headers.emplace_back("x-amz-date", amz_date(now_s));
  if (!config_.session_token.empty())
    out.headers.emplace_back("x-amz-security-token", config_.session_token);
  const Signer signer{config_.access_key, config_.secret_key, config_.region};
  out.headers.emplace_back(
      "authorization",
      authorization(signer, {request.method, path, request.query, out.headers, payload_hash},
                    now_s));
  const std::string query = encode_query(request.query);
  out.url = endpoint_.url(path) + (query.empty() ? "" : "?" + query);
  out.body = request.body;
  out.into = request.into;
  out.limit = request.limit;
  out.stall_timeout =
      request.stall_timeout.count() != 0 ? request.stall_timeout : config_.stall_timeout;
  out.cancelled = request.cancelled ? request.cancelled : config_.cancelled;
  return out;
}

std::string Client::name_of(std::string_view key) const {
  return "s3://" + config_.bucket + (key.empty() ? "" : "/" + std::string(key));
}

int64_t Client::now_s() const {
  return system_clock().now_s() + clock_offset_s_;
}

}  // namespace manman::s3
