#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// AWS Signature Version 4
// (https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html).
namespace manman::s3 {

// Names and values, of headers (names in lower case) or of a query (not encoded).
using Fields = std::vector<std::pair<std::string, std::string>>;

struct Signer {
  std::string access_key;
  std::string secret_key;
  std::string region;
  std::string service = "s3";
};

struct SignedRequest {
  std::string_view method;
  std::string_view path;  // encoded, as it is sent: "/bucket/a%20key"
  const Fields& query;
  const Fields& headers;          // all of them are signed; "host" is among them
  std::string_view payload_hash;  // hexadecimal SHA-256, or UNSIGNED-PAYLOAD
};

// Percent-encoding by S3's rules: all but letters, digits and "-._~"; "/" stays if asked to.
std::string uri_encode(std::string_view text, bool keep_slash);
// Encoded and sorted, as it is signed and may be sent.
std::string encode_query(Fields query);

// "20130524T000000Z", the value of x-amz-date.
std::string amz_date(int64_t unix_s);

// The value of the header Authorization. The headers hold x-amz-date of `now_s`.
std::string authorization(const Signer& signer, const SignedRequest& request, int64_t now_s);

// The query that makes a URL valid by itself for so long; the session token "" is none.
std::string presigned_query(const Signer& signer, const SignedRequest& request, int64_t now_s,
                            int valid_seconds, std::string_view session_token);

}  // namespace manman::s3
