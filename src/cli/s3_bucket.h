#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>

#include "base/error.h"
#include "store/store.h"

namespace manman::cli {

// How to reach an S3 server; the bucket comes from a URL.
struct S3Settings {
  std::string endpoint;
  std::string region = "us-east-1";
  std::string access_key;
  std::string secret_key;
  std::string session_token;
  std::filesystem::path ca_file;
  bool virtual_host = false;
};

// Opens a bucket, trying again for so long while its server is away. Its requests end when the user
// interrupts (see InterruptGuard).
Result<std::unique_ptr<Store>> open_s3_bucket(const std::string& bucket, const S3Settings& settings,
                                              std::chrono::seconds retry_for);

}  // namespace manman::cli
