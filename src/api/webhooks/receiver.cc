#include "api/webhooks/receiver.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <mutex>
#include <optional>

#include "domain/field_checks.h"

namespace manman::api {
namespace {

constexpr size_t kMaxUrlBytes = 2000;
constexpr long kConnectSeconds = 5;
constexpr long kWholeSeconds = 15;
// Of an answer nothing is used but its status, and its beginning in the message of an error.
constexpr size_t kMaxAnswerBytes = size_t{64} << 10;
constexpr size_t kShownBytes = 200;

using Ipv4 = std::array<uint8_t, 4>;
using Ipv6 = std::array<uint8_t, 16>;

// RFC 6890: this host, loopback, link-local; and what is no single machine.
bool is_local(const Ipv4& ip) {
  return ip[0] == 0 || ip[0] == 127 || (ip[0] == 169 && ip[1] == 254) || ip[0] >= 224;
}

Ipv4 embedded(const Ipv6& ip, size_t at) {
  return {ip[at], ip[at + 1], ip[at + 2], ip[at + 3]};
}

bool starts_with(const Ipv6& ip, std::initializer_list<uint8_t> bytes) {
  return std::equal(bytes.begin(), bytes.end(), ip.begin());
}

// RFC 4291 and 6890; IPv4 addresses within (mapped, compatible, NAT64, 6to4) count as themselves.
bool is_local(const Ipv6& ip) {
  if (starts_with(ip, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0})) return is_local(embedded(ip, 12));
  if (starts_with(ip, {0x00, 0x64, 0xff, 0x9b})) return is_local(embedded(ip, 12));
  if (starts_with(ip, {0x20, 0x02})) return is_local(embedded(ip, 2));
  return (ip[0] == 0xfe && (ip[1] & 0xc0) == 0x80) || ip[0] == 0xff;
}

bool is_local(const sockaddr& address) {
  if (address.sa_family == AF_INET) {
    Ipv4 ip{};
    std::memcpy(ip.data(), &reinterpret_cast<const sockaddr_in&>(address).sin_addr, ip.size());
    return is_local(ip);
  }
  if (address.sa_family == AF_INET6) {
    Ipv6 ip{};
    std::memcpy(ip.data(), &reinterpret_cast<const sockaddr_in6&>(address).sin6_addr, ip.size());
    return is_local(ip);
  }
  return true;
}

bool is_local_name(std::string host) {
  std::ranges::transform(host, host.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
  if (host.ends_with('.')) host.pop_back();
  if (host == "localhost" || host.ends_with(".localhost")) return true;
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  Ipv4 four{};
  if (::inet_pton(AF_INET, host.c_str(), four.data()) == 1) return is_local(four);
  Ipv6 six{};
  return ::inet_pton(AF_INET6, host.c_str(), six.data()) == 1 && is_local(six);
}

struct FreeUrl {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};

std::optional<std::string> part_of(CURLU* url, CURLUPart part) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, 0) != CURLUE_OK) return std::nullopt;
  std::string copy = text;
  curl_free(text);
  return copy;
}

struct Exchange {
  bool local_too;
  const std::atomic<bool>& cancelled;
  bool was_local = false;
  std::string shown;
  size_t received = 0;
};

curl_socket_t on_socket(void* user, curlsocktype, curl_sockaddr* address) {
  auto& exchange = *static_cast<Exchange*>(user);
  if (!exchange.local_too && is_local(address->addr)) {
    exchange.was_local = true;
    return CURL_SOCKET_BAD;
  }
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

size_t on_body(char* bytes, size_t size, size_t count, void* user) {
  auto& exchange = *static_cast<Exchange*>(user);
  const size_t length = size * count;
  exchange.received += length;
  if (exchange.received > kMaxAnswerBytes) return 0;
  exchange.shown.append(bytes, std::min(length, kShownBytes - exchange.shown.size()));
  return length;
}

int on_progress(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<Exchange*>(user)->cancelled ? 1 : 0;
}

// What stands in a message must be one line of text.
std::string printable(std::string_view text) {
  std::string line;
  for (const char c : text) line += c >= ' ' && c <= '~' ? c : ' ';
  return line;
}

Result<void> check_status(long status, const Exchange& exchange) {
  if (status >= 200 && status < 300) return {};
  std::string why = "HTTP status " + std::to_string(status);
  if (!exchange.shown.empty()) why += ": " + printable(exchange.shown);
  if (status >= 300 && status < 400)
    why = "HTTP status " + std::to_string(status) +
          ": redirects are not followed; name the new address";
  // RFC 9110, 8470 and 6585: too slow, too early, too many.
  const bool later =
      status == 408 || status == 425 || status == 429 || status >= 500 || status < 200;
  return std::unexpected(
      Error{later ? Code::kUnavailable : Code::kFailedPrecondition, std::move(why), later});
}

}  // namespace

Result<void> check_receiver_url(std::string_view field, const std::string& url, bool local_too) {
  const auto bad = [&](const std::string& why) { return bad_field(field, why); };
  TRY(check_text(field, url, kMaxUrlBytes));
  const std::unique_ptr<CURLU, FreeUrl> parsed(curl_url());
  if (curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK)
    return bad("must be http://HOST[:PORT]/PATH or https://…");
  const auto scheme = part_of(parsed.get(), CURLUPART_SCHEME);
  if (scheme != "http" && scheme != "https") return bad("must begin with http:// or https://");
  if (part_of(parsed.get(), CURLUPART_USER) || part_of(parsed.get(), CURLUPART_PASSWORD))
    return bad("must hold no user and no password");
  const auto host = part_of(parsed.get(), CURLUPART_HOST);
  if (!host || host->empty()) return bad("must name a host");
  if (!local_too && is_local_name(*host))
    return std::unexpected(bad(*host + " is this machine or its own link")
                               .error()
                               .with_hint("the API's --webhook-allow-local allows it"));
  return {};
}

Result<void> post(const Post& request, bool local_too, const std::filesystem::path& ca_file,
                  const std::atomic<bool>& cancelled) {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl(curl_easy_init(),
                                                                 curl_easy_cleanup);
  if (!curl) return fail(Code::kUnavailable, "no memory for a request");
  struct FreeList {
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
  };
  std::unique_ptr<curl_slist, FreeList> headers;
  for (const auto& [name, value] : request.headers)
    headers.reset(curl_slist_append(headers.release(), (name + ": " + value).c_str()));
  Exchange exchange{.local_too = local_too, .cancelled = cancelled};
  std::array<char, CURL_ERROR_SIZE> text{};
  CURL* const handle = curl.get();
  curl_easy_setopt(handle, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(handle, CURLOPT_PROXY, "");
  curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
  curl_easy_setopt(handle, CURLOPT_TIMEOUT, kWholeSeconds);
  curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(handle, CURLOPT_POSTFIELDS, request.body.data());
  curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE,
                   static_cast<curl_off_t>(request.body.size()));
  curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, text.data());
  curl_easy_setopt(handle, CURLOPT_OPENSOCKETFUNCTION, &on_socket);
  curl_easy_setopt(handle, CURLOPT_OPENSOCKETDATA, &exchange);
  curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, &on_body);
  curl_easy_setopt(handle, CURLOPT_WRITEDATA, &exchange);
  curl_easy_setopt(handle, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, &on_progress);
  curl_easy_setopt(handle, CURLOPT_XFERINFODATA, &exchange);
  if (!ca_file.empty()) curl_easy_setopt(handle, CURLOPT_CAINFO, ca_file.c_str());
  const CURLcode code = curl_easy_perform(handle);
  long status = 0;
  curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
  // An answer that is too long has been understood all the same.
  const bool too_long = code == CURLE_WRITE_ERROR && exchange.received > kMaxAnswerBytes;
  if (code == CURLE_OK || too_long) return check_status(status, exchange);
  if (exchange.was_local)
    return std::unexpected(Error{Code::kFailedPrecondition,
                                 "its address is of this machine or its own link; the API's "
                                 "--webhook-allow-local allows it"});
  if (code == CURLE_ABORTED_BY_CALLBACK)
    return std::unexpected(Error{Code::kCancelled, "the service stops", true});
  return std::unexpected(Error{Code::kUnavailable,
                               text[0] != '\0' ? printable(text.data()) : curl_easy_strerror(code),
                               true});
}

}  // namespace manman::api
