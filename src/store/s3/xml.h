#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/store.h"

// The XML bodies of S3. What does not parse, or lacks what it must have, is kDataLoss and
// retryable: a proxy may have answered.
namespace manman::s3 {

struct ErrorBody {
  std::string code;  // "NoSuchKey"
  std::string message;
  std::string region;  // the bucket's, in some errors
};
// Nothing when the body is no error of S3's.
std::optional<ErrorBody> parse_error(std::string_view body);

struct ObjectPage {
  std::vector<ObjectInfo> objects;
  std::string next;  // continuation token; "" at the end
};
Result<ObjectPage> parse_objects(std::string_view body);

struct UploadPage {
  std::vector<PendingUpload> uploads;
  bool more = false;
  std::string next_key;
  std::string next_id;
};
Result<UploadPage> parse_uploads(std::string_view body);

Result<std::string> parse_upload_id(std::string_view body);
// The ETag, without quotes, in the answer to a CompleteMultipartUpload.
Result<std::string> parse_completed(std::string_view body);
// The body of a CompleteMultipartUpload: the ETags of parts 1, 2, …
std::string complete_body(const std::vector<std::string>& etags);

// An ETag as it stands in a header or body, without its quotes.
std::string unquoted(std::string_view etag);

}  // namespace manman::s3
