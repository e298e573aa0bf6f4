#pragma once

#include <functional>
#include <string>
#include <vector>

#include "store/s3/client.h"
#include "store/s3/xml.h"

// The calls of S3 on an upload in parts. Errors name the object.
namespace manman::s3 {

inline constexpr uint64_t kMaxParts = 10'000;            // S3's
inline constexpr uint64_t kMaxObjectBytes = 5ULL << 40;  // S3's

// An upload that the server has begun.
struct Multipart {
  std::string key;
  std::string id;
  std::string mark;  // stands at the object that comes of it, in kUploadHeader
};

Result<Multipart> create_multipart(Client& client, const std::string& key,
                                   const std::function<bool()>& cancelled);
// Parts count from 1. The part's ETag.
Result<std::string> upload_part(Client& client, const Multipart& upload, int number,
                                ConstBytes bytes, const std::function<bool()>& cancelled);
// Success is an object that is there, ours, and of this size. When answers got lost the object
// itself decides. no_more_tries: see Request; may be empty.
Result<ObjectInfo> complete_multipart(Client& client, const Multipart& upload,
                                      const std::vector<std::string>& etags, uint64_t size_bytes,
                                      std::function<bool()> no_more_tries);
// One that is not there is success. Tried for some seconds only, but also while the store's
// requests are cancelled: what stays is found again by list_uploads().
Result<void> abort_multipart(Client& client, const std::string& key, const std::string& id);
// Calls visit for all unfinished uploads of keys that start with prefix until it returns false.
Result<void> list_uploads(Client& client, std::string_view prefix,
                          const std::function<bool(const PendingUpload&)>& visit);

}  // namespace manman::s3
