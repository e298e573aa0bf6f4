#include "store/s3/sigv4.h"

#include <algorithm>
#include <ctime>

#include "base/file.h"
#include "base/sha256.h"

namespace manman::s3 {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";

std::string scope(const Signer& signer, int64_t now_s) {
  return amz_date(now_s).substr(0, 8) + "/" + signer.region + "/" + signer.service +
         "/aws4_request";
}

Fields sorted(Fields fields) {
  std::ranges::sort(fields);
  return fields;
}

std::string signed_names(const Fields& headers) {
  std::string names;
  for (const auto& [name, value] : sorted(headers)) names += (names.empty() ? "" : ";") + name;
  return names;
}

std::string canonical_request(const SignedRequest& request, const std::string& query) {
  std::string text = std::string(request.method) + "\n" + std::string(request.path) + "\n" + query;
  text += "\n";
  for (const auto& [name, value] : sorted(request.headers)) text += name + ":" + value + "\n";
  return text + "\n" + signed_names(request.headers) + "\n" + std::string(request.payload_hash);
}

std::string signature(const Signer& signer, const std::string& canonical, int64_t now_s) {
  const std::string to_sign = std::string(kAlgorithm) + "\n" + amz_date(now_s) + "\n" +
                              scope(signer, now_s) + "\n" + to_hex(Sha256::of(as_bytes(canonical)));
  const std::string first = "AWS4" + signer.secret_key;
  Sha256Digest key = hmac_sha256(as_bytes(first), as_bytes(amz_date(now_s).substr(0, 8)));
  for (const std::string_view step :
       {std::string_view(signer.region), std::string_view(signer.service),
        std::string_view("aws4_request")})
    key = hmac_sha256(key, as_bytes(step));
  return to_hex(hmac_sha256(key, as_bytes(to_sign)));
}

}  // namespace

std::string uri_encode(std::string_view text, bool keep_slash) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (kPlain.find(c) != std::string_view::npos || (keep_slash && c == '/'))
      out += c;
    else
      out.append({'%', kDigits[byte >> 4], kDigits[byte & 15]});
  }
  return out;
}

std::string encode_query(Fields query) {
  for (auto& [name, value] : query) {
    name = uri_encode(name, false);
    value = uri_encode(value, false);
  }
  std::string text;
  for (const auto& [name, value] : sorted(std::move(query)))
    text += (text.empty() ? "" : "&") + name + "=" + value;
  return text;
}

std::string amz_date(int64_t unix_s) {
  const time_t time = unix_s;
  tm parts{};
  gmtime_r(&time, &parts);
  char text[32];
  return {text, strftime(text, sizeof text, "%Y%m%dT%H%M%SZ", &parts)};
}

std::string authorization(const Signer& signer, const SignedRequest& request, int64_t now_s) {
  const std::string canonical = canonical_request(request, encode_query(request.query));
  return std::string(kAlgorithm) + " Credential=" + signer.access_key + "/" + scope(signer, now_s) +
         ",SignedHeaders=" + signed_names(request.headers) +
         ",Signature=" + signature(signer, canonical, now_s);
}

std::string presigned_query(const Signer& signer, const SignedRequest& request, int64_t now_s,
                            int valid_seconds, std::string_view session_token) {
  Fields query = request.query;
  query.emplace_back("X-Amz-Algorithm", kAlgorithm);
  query.emplace_back("X-Amz-Credential", signer.access_key + "/" + scope(signer, now_s));
  query.emplace_back("X-Amz-Date", amz_date(now_s));
  query.emplace_back("X-Amz-Expires", std::to_string(valid_seconds));
  query.emplace_back("X-Amz-SignedHeaders", signed_names(request.headers));
  if (!session_token.empty()) query.emplace_back("X-Amz-Security-Token", session_token);
  const std::string encoded = encode_query(std::move(query));
  return encoded +
         "&X-Amz-Signature=" + signature(signer, canonical_request(request, encoded), now_s);
}

}  // namespace manman::s3
