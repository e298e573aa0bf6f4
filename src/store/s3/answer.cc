#include "store/s3/answer.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <ctime>

#include "store/s3/xml.h"

namespace manman::s3 {
namespace {

constexpr size_t kShownBytes = 200;

struct Meaning {
  std::string_view code;  // S3's
  Code means;
  bool retryable;
  std::string_view says;
};

// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html, and what Ceph and Swift add.
constexpr auto kMeanings = std::to_array<Meaning>({
    {"InvalidAccessKeyId", Code::kUnauthenticated, false,
     "the server does not know the access key (S3_ACCESS_KEY)"},
    {"SignatureDoesNotMatch", Code::kUnauthenticated, false,
     "the secret key (S3_SECRET_KEY) is not that of the access key (S3_ACCESS_KEY)"},
    {"InvalidToken", Code::kUnauthenticated, false,
     "the session token (S3_SESSION_TOKEN) is wrong"},
    {"ExpiredToken", Code::kUnauthenticated, false,
     "the session token (S3_SESSION_TOKEN) has expired"},
    {"AccessDenied", Code::kPermissionDenied, false,
     "the access key (S3_ACCESS_KEY) is not allowed to do this"},
    {"AccountProblem", Code::kPermissionDenied, false, "there is a problem with the account"},
    {"NoSuchBucket", Code::kFailedPrecondition, false, "there is no such bucket (S3_BUCKET)"},
    {"InvalidBucketName", Code::kFailedPrecondition, false,
     "the server takes no bucket of this name (S3_BUCKET)"},
    {"NoSuchKey", Code::kNotFound, false, "no such object"},
    {"NoSuchUpload", Code::kAborted, false, "the upload is not there any more: something ended it"},
    {"InvalidRange", Code::kOutOfRange, false, "the object ends before this range"},
    {"PreconditionFailed", Code::kAborted, false, "the object was replaced meanwhile"},
    {"QuotaExceeded", Code::kResourceExhausted, false, "the store's quota is used up"},
    {"EntityTooLarge", Code::kResourceExhausted, false, "larger than the server takes"},
    {"NotImplemented", Code::kUnimplemented, false, "the server can't do this"},
    {"RequestTimeTooSkewed", Code::kFailedPrecondition, true,
     "this machine's clock and the server's are too far apart; set the clock"},
    {"SlowDown", Code::kUnavailable, true, "the server asks to slow down"},
    {"RequestTimeout", Code::kUnavailable, true, "the server waited too long for the request"},
    {"OperationAborted", Code::kUnavailable, true, "another operation on it is under way"},
    {"BadDigest", Code::kDataLoss, true, "what arrived is not what was sent"},
    {"IncompleteBody", Code::kDataLoss, true, "what arrived is not what was sent"},
    {"XAmzContentSHA256Mismatch", Code::kDataLoss, true, "what arrived is not what was sent"},
    {"AuthorizationHeaderMalformed", Code::kFailedPrecondition, false,
     "the region (S3_REGION) is wrong"},
    {"PermanentRedirect", Code::kFailedPrecondition, false,
     "the region (S3_REGION) or the endpoint (S3_ENDPOINT) is wrong"},
    {"TemporaryRedirect", Code::kUnavailable, true, "the bucket is on its way to another region"},
    {"IllegalLocationConstraintException", Code::kFailedPrecondition, false,
     "the region (S3_REGION) is wrong"},
});

// For answers with no code that is known, as to HEAD, whose answers have no body.
Meaning meaning_of_status(int status) {
  if (status == 429 || status == 408 || (status >= 500 && status != 501 && status != 507))
    return {"", Code::kUnavailable, true, "the server has a problem"};
  switch (status) {
    case 301:
    case 307:
      return {"", Code::kFailedPrecondition, false,
              "the region (S3_REGION) or the endpoint (S3_ENDPOINT) is wrong"};
    case 401:
    case 403:
      return {
          "", Code::kPermissionDenied, false,
          "the server refuses access; see S3_ACCESS_KEY, S3_SECRET_KEY and what the key may do"};
    case 404:
      return {"", Code::kNotFound, false, "no such object"};
    case 412:
      return {"", Code::kAborted, false, "the object was replaced meanwhile"};
    case 416:
      return {"", Code::kOutOfRange, false, "the object ends before this range"};
    case 501:
      return {"", Code::kUnimplemented, false, "the server can't do this"};
    case 507:
      return {"", Code::kResourceExhausted, false, "the store is full"};
    default:
      return {"", Code::kUnknown, false, "the server refuses; does S3 answer at S3_ENDPOINT?"};
  }
}

Meaning meaning_of(int status, std::string_view code) {
  const auto known = std::ranges::find(kMeanings, code, &Meaning::code);
  return known != kMeanings.end() && !code.empty() ? *known : meaning_of_status(status);
}

void replace_all(std::string& text, const std::string& what) {
  if (what.empty()) return;
  for (size_t at; (at = text.find(what)) != std::string::npos;) text.replace(at, what.size(), "…");
}

// The server's words as they may be shown: short, printable, and without what it may have echoed.
std::string shown(std::string text, const S3Config& config) {
  replace_all(text, config.secret_key);
  replace_all(text, config.session_token);
  replace_all(text, config.access_key);
  if (text.size() > kShownBytes) {
    text.resize(kShownBytes);
    text += "…";
  }
  std::ranges::replace_if(
      text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, ' ');
  return text;
}

Error make_error(const Meaning& meaning, int status, const ErrorBody& body, const S3Config& config,
                 std::string_view key) {
  Error error{meaning.means, std::string(meaning.says), meaning.retryable};
  // There may be objects where this setting should have pointed.
  if (error.code == Code::kNotFound && key.empty())
    error = {Code::kFailedPrecondition, "there is no such bucket (S3_BUCKET)"};
  if (!body.region.empty()) error.message += "; the bucket is in " + shown(body.region, config);
  error.message += " (HTTP " + std::to_string(status);
  if (!body.code.empty()) error.message += " " + shown(body.code, config);
  if (!body.message.empty()) error.message += ": " + shown(body.message, config);
  error.message += ")";
  return error;
}

}  // namespace

Error error_of(const HttpResponse& response, const S3Config& config, std::string_view key) {
  ErrorBody body = parse_error(response.body).value_or(ErrorBody{});
  if (body.region.empty()) {
    const std::string region = response.header("x-amz-bucket-region");
    if (region != config.region) body.region = region;
  }
  const Meaning meaning = meaning_of(response.status, body.code);
  return make_error(meaning, response.status, body, config, key);
}

std::optional<Error> error_in_body(const HttpResponse& response, const S3Config& config,
                                   std::string_view key) {
  const auto body = parse_error(response.body);
  if (!body) return std::nullopt;
  const Meaning meaning = meaning_of(500, body->code);  // the status was sent too early to count
  return make_error(meaning, response.status, *body, config, key);
}

bool is_skewed(const HttpResponse& response, int64_t signed_at_s) {
  if (response.status != 403) return false;
  const auto body = parse_error(response.body);
  if (body) return body->code == "RequestTimeTooSkewed";
  constexpr int64_t kTolerated = 300;  // servers take up to 900 s, and answers may be late
  const int64_t date = date_of(response);
  return date != 0 && std::abs(date - signed_at_s) > kTolerated;
}

int64_t date_of(const HttpResponse& response) {
  tm parts{};
  const std::string date = response.header("date");
  if (strptime(date.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts) == nullptr) return 0;
  return timegm(&parts);
}

}  // namespace manman::s3
