#pragma once

#include <memory>

#include "store/s3/client.h"
#include "store/store.h"

namespace manman::s3 {

// An upload of a key. The server hears of it when the first part is full; what fits into one part
// is one PUT in commit(). More bytes than 10,000 parts of the size that size_upper_bound makes
// necessary, with some to spare, can't be written.
Result<std::unique_ptr<Upload>> start_upload(std::shared_ptr<Client> client, std::string key,
                                             uint64_t size_upper_bound);

}  // namespace manman::s3
