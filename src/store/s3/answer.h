#pragma once

#include <optional>

#include "store/s3/http.h"
#include "store/s3/s3_store.h"

namespace manman::s3 {

// What an answer that is no success means: what is wrong, by the name of the setting where one is,
// and whether trying again may help. `key` is "" for a request about the bucket.
Error error_of(const HttpResponse& response, const S3Config& config, std::string_view key);

// The same of an error in the body of a 200, which a server sends that had begun to answer before
// it failed. Nothing when the body is no error.
std::optional<Error> error_in_body(const HttpResponse& response, const S3Config& config,
                                   std::string_view key);

// Whether the server refused because its clock and ours disagree.
bool is_skewed(const HttpResponse& response, int64_t signed_at_s);

// The answer's time in Unix seconds; 0 when it names none.
int64_t date_of(const HttpResponse& response);

}  // namespace manman::s3
