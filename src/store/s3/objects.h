#pragma once

#include <functional>

#include "store/s3/client.h"

// The calls of S3 on whole objects. Errors name the object.
namespace manman::s3 {

// The header of an object's own field that tells which upload it came from, so that after a lost
// answer one knows whether it was ours.
inline constexpr char kUploadHeader[] = "x-amz-meta-manman-upload";

struct StoredObject {
  ObjectInfo info;
  std::string upload;  // of kUploadHeader; "" when it has none
};

// A success of a write names what it stored.
Result<void> has_etag(const HttpResponse& response);

// One request that shows whether the settings work.
Result<void> check_bucket(Client& client, std::chrono::seconds retry_for);

Result<StoredObject> head_object(Client& client, const std::string& key);
// As head_object(), right after a write: another size is kDataLoss, and retryable.
Result<ObjectInfo> check_stored(Client& client, const std::string& key, uint64_t size_bytes);
// One PUT; the object is checked. no_more_tries: see Request; may be empty.
Result<ObjectInfo> put_object(Client& client, const std::string& key, ConstBytes bytes,
                              std::function<bool()> no_more_tries);
Result<void> get_range(Client& client, const std::string& key, uint64_t offset,
                       MutableBytes buffer);
Result<void> list_objects(Client& client, std::string_view prefix,
                          const std::function<bool(const ObjectInfo&)>& visit);
Result<void> delete_object(Client& client, const std::string& key);

}  // namespace manman::s3
