#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/stream.h"
#include "cli/command.h"
#include "cli/s3_bucket.h"
#include "store/store.h"

namespace manman::cli {

// Options and environment variables for all of them.
void add_s3_settings(Command& command, S3Settings& settings);

// An object in a bucket.
struct S3Object {
  std::unique_ptr<Store> store;
  std::string key;
};

bool is_s3_url(std::string_view text);
// Opens the bucket of s3://BUCKET/KEY. Waiting ends when the user interrupts (see InterruptGuard).
Result<S3Object> open_s3_url(std::string_view url, const S3Settings& settings);

enum class Reading { kHereAndThere, kInOrder };

// An archive to read: a local file, or the object of an s3:// URL.
Result<std::unique_ptr<RandomSource>> open_archive(const std::string& place,
                                                   const S3Settings& settings, Reading reading);

}  // namespace manman::cli
