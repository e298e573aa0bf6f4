#pragma once

#include <atomic>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

// Requests to the receivers of webhooks, whose addresses people have typed in.
namespace manman::api {

// http:// or https:// with a host and no password, of at most 2000 bytes, else kInvalidArgument
// naming the field. Loopback and link-local addresses, and localhost, only when local_too.
Result<void> check_receiver_url(std::string_view field, const std::string& url, bool local_too);

struct Post {
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
};

// Sends it once, and takes at most 15 s for it. No redirect is followed, no proxy used, and unless
// local_too no address is connected to that is of this machine or its link, whatever its name
// resolves to at that moment. Success is a status of 2xx. An error that is retryable says that
// the receiver is away or overloaded; one that is not, that it has refused this request.
// ca_file: certificates to trust instead of the system's; none when empty.
Result<void> post(const Post& request, bool local_too, const std::filesystem::path& ca_file,
                  const std::atomic<bool>& cancelled);

}  // namespace manman::api
