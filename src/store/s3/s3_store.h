#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "store/store.h"

namespace manman {

// The settings of an S3 store. In parentheses the name that errors call them by.
struct S3Config {
  std::string endpoint;              // http(s)://HOST[:PORT]; "": AWS in `region` (S3_ENDPOINT)
  std::string region = "us-east-1";  // S3_REGION
  std::string bucket;                // is there already (S3_BUCKET)
  std::string access_key;            // S3_ACCESS_KEY
  std::string secret_key;            // S3_SECRET_KEY
  std::string session_token;         // of temporary keys; "": none (S3_SESSION_TOKEN)
  bool path_style = true;            // ENDPOINT/BUCKET/KEY; otherwise BUCKET.ENDPOINT/KEY
  std::filesystem::path ca_file;     // PEM; "": the system's (S3_CA_FILE)

  std::chrono::seconds connect_timeout{10};
  std::chrono::seconds stall_timeout{
      30};                             // a request that moves less than 1 KiB/s for so long is cut
  std::chrono::seconds retry_for{60};  // after the first failure of an operation
  std::chrono::seconds open_retry_for{5};  // the same, while opening

  // An upload keeps parallel_parts + 1 parts in memory, fewer when that would be over
  // max_upload_memory_bytes, but always two.
  int parallel_parts = 3;
  size_t part_bytes = 8U << 20;  // at least 5 MiB; larger ones are used for objects that need it
  size_t max_upload_memory_bytes = 256U << 20;

  // Asked while something is waited for, by any thread; true ends all requests with kCancelled.
  std::function<bool()> cancelled = {};
};

// A bucket of an S3 server as a store. Opening makes one request, so that settings that can't work
// are one clear error here. Objects are written whole by one PUT when they fit into one part, in
// parallel parts otherwise. Errors never show a key or token.
Result<std::unique_ptr<Store>> open_s3_store(const S3Config& config);

}  // namespace manman
