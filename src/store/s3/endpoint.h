#pragma once

#include <string>
#include <string_view>

#include "store/s3/s3_store.h"

namespace manman::s3 {

// Where a bucket's requests go.
struct Endpoint {
  std::string scheme;     // "https"
  std::string host;       // as in the header Host: "s3.example.com:9000"
  std::string base_path;  // "/bucket", or "" when the bucket is in the host

  // The path of a key, encoded; of the bucket itself for "".
  std::string path(std::string_view key) const;
  std::string url(std::string_view path) const { return scheme + "://" + host + std::string(path); }
};

// Also checks all other settings that need no server for it. kInvalidArgument names the setting.
Result<Endpoint> make_endpoint(const S3Config& config);

}  // namespace manman::s3
