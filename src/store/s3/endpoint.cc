#include "store/s3/endpoint.h"

#include <algorithm>

#include "store/s3/sigv4.h"

namespace manman::s3 {
namespace {

constexpr size_t kLeastPartBytes = 5U << 20;   // S3's, of all parts but the last
constexpr size_t kMostPartBytes = 5ULL << 30;  // S3's

std::unexpected<Error> refuse(const std::string& why) {
  return fail(Code::kInvalidArgument, why);
}

bool all_of(std::string_view text, std::string_view more) {
  return std::ranges::all_of(text, [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           more.find(c) != std::string_view::npos;
  });
}

// A key that is copied with its line's end would be signed with it, and refused for no visible
// reason.
bool is_key(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7f; });
}

Result<void> check_names(const S3Config& config) {
  if (config.bucket.empty() || config.bucket.size() > 255 || !all_of(config.bucket, ".-_"))
    return refuse("the bucket (S3_BUCKET) must be a name of letters, digits, '.', '-' and '_'");
  if (config.region.empty() || config.region.size() > 64 || !all_of(config.region, "-_"))
    return refuse("the region (S3_REGION) must be a name like us-east-1");
  if (!is_key(config.access_key))
    return refuse("S3 needs an access key (S3_ACCESS_KEY), without white space");
  if (!is_key(config.secret_key))
    return refuse("S3 needs a secret key (S3_SECRET_KEY), without white space");
  if (!config.session_token.empty() && !is_key(config.session_token))
    return refuse("the session token (S3_SESSION_TOKEN) must be without white space");
  return {};
}

Result<void> check_sizes(const S3Config& config) {
  if (config.part_bytes < kLeastPartBytes || config.part_bytes > kMostPartBytes)
    return refuse("parts of an upload must be of 5 MiB to 5 GiB");
  if (config.parallel_parts < 1 || config.parallel_parts > 64)
    return refuse("1 to 64 parts can be uploaded in parallel");
  return {};
}

// "HOST:PORT" without a port that goes without saying, as clients send it and sign it.
std::string host_header(std::string_view scheme, std::string_view host) {
  const std::string_view usual = scheme == "https" ? ":443" : ":80";
  if (host.ends_with(usual)) host.remove_suffix(usual.size());
  return std::string(host);
}

}  // namespace

std::string Endpoint::path(std::string_view key) const {
  if (key.empty()) return base_path.empty() ? "/" : base_path;
  return base_path + "/" + uri_encode(key, true);
}

Result<Endpoint> make_endpoint(const S3Config& config) {
  TRY(check_names(config));
  TRY(check_sizes(config));
  const std::string given =
      config.endpoint.empty() ? "https://s3." + config.region + ".amazonaws.com" : config.endpoint;
  const size_t end = given.find("://");
  Endpoint endpoint;
  endpoint.scheme = end == std::string::npos ? "" : given.substr(0, end);
  std::string_view host =
      end == std::string::npos ? given : std::string_view(given).substr(end + 3);
  if (host.ends_with('/')) host.remove_suffix(1);
  const bool good = (endpoint.scheme == "http" || endpoint.scheme == "https") && !host.empty() &&
                    host.size() <= 300 && all_of(host, ".-_:[]");
  // It may hold a password, so it is not shown.
  if (!good) return refuse("the endpoint (S3_ENDPOINT) must be http://HOST[:PORT] or https://…");
  endpoint.host = host_header(endpoint.scheme, host);
  if (config.path_style)
    endpoint.base_path = "/" + config.bucket;
  else
    endpoint.host = config.bucket + "." + endpoint.host;
  return endpoint;
}

}  // namespace manman::s3
