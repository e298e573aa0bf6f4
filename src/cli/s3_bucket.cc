#include "cli/s3_bucket.h"

#include "cli/interrupt.h"
#include "store/s3/s3_store.h"

namespace manman::cli {

Result<std::unique_ptr<Store>> open_s3_bucket(const std::string& bucket, const S3Settings& settings,
                                              std::chrono::seconds retry_for) {
  S3Config config;
  config.endpoint = settings.endpoint;
  config.region = settings.region;
  config.bucket = bucket;
  config.access_key = settings.access_key;
  config.secret_key = settings.secret_key;
  config.session_token = settings.session_token;
  config.ca_file = settings.ca_file;
  config.path_style = !settings.virtual_host;
  config.open_retry_for = retry_for;
  config.cancelled = interrupted;
  return open_s3_store(config);
}

}  // namespace manman::cli
