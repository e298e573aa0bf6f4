#include "store/s3/objects.h"

#include <charconv>
#include <ctime>
#include <limits>

#include "store/s3/xml.h"

namespace manman::s3 {
namespace {

std::unexpected<Error> wrong_answer(const std::string& why) {
  return std::unexpected(Error{Code::kDataLoss, "the server's answer " + why, true});
}

bool parse_number(std::string_view text, uint64_t& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

int64_t modified_at(const HttpResponse& response) {
  tm parts{};
  const std::string date = response.header("last-modified");
  if (strptime(date.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts) == nullptr) return 0;
  return timegm(&parts);
}

// "bytes 0-99/1234"
struct ContentRange {
  uint64_t first = 0;
  uint64_t last = 0;
  uint64_t total = 0;
};

bool parse_range(std::string_view text, ContentRange& range) {
  constexpr std::string_view kUnit = "bytes ";
  const size_t dash = text.find('-');
  const size_t slash = text.find('/');
  return text.starts_with(kUnit) && dash != text.npos && slash != text.npos && dash < slash &&
         parse_number(text.substr(kUnit.size(), dash - kUnit.size()), range.first) &&
         parse_number(text.substr(dash + 1, slash - dash - 1), range.last) &&
         parse_number(text.substr(slash + 1), range.total);
}

// One get() under way: what has arrived, and of which object.
class RangeReader {
 public:
  RangeReader(Client& client, const std::string& key, uint64_t offset, MutableBytes buffer)
      : client_(client), key_(key), offset_(offset), buffer_(buffer) {}

  Result<void> run() {
    Retries tries = client_.retries({});
    while (true) {
      auto read = try_rest();
      if (read) return read;
      if (!tries.again(read.error())) return std::unexpected(tries.give_up(read.error()));
    }
  }

 private:
  // Takes what arrives, also before an error.
  Result<void> try_rest() {
    const MutableBytes rest = buffer_.subspan(done_);
    const uint64_t first = offset_ + done_;
    const uint64_t last = first + rest.size() - 1;
    Request request{.method = "GET", .key = key_};
    request.headers.emplace_back("range",
                                 "bytes=" + std::to_string(first) + "-" + std::to_string(last));
    // The rest of a range must be of the same object as its beginning.
    if (!etag_.empty()) request.headers.emplace_back("if-match", etag_);
    request.into = rest;
    request.limit = std::chrono::seconds(0);
    HttpResponse response;
    auto sent = client_.try_once(request, response);
    if (response.status == 206) TRY(check(response, first, last));
    if (response.status == 206) done_ += response.received;
    TRY(std::move(sent));
    if (response.status != 206)
      return fail(Code::kFailedPrecondition, "the server gives no parts of objects (HTTP " +
                                                 std::to_string(response.status) + ")");
    if (done_ < buffer_.size()) return wrong_answer("is shorter than it says");
    return {};
  }

  Result<void> check(const HttpResponse& response, uint64_t first, uint64_t last) {
    ContentRange range;
    if (!parse_range(response.header("content-range"), range))
      return wrong_answer("does not say which bytes it holds");
    if (range.total <= last)
      return fail(Code::kOutOfRange, "the object ends at byte " + std::to_string(range.total) +
                                         ", before offset " + std::to_string(last + 1));
    const std::string length = response.header("content-length");
    uint64_t bytes = 0;
    if (range.first != first || range.last != last || !parse_number(length, bytes) ||
        bytes != last - first + 1)
      return wrong_answer("holds other bytes than asked for");
    if (etag_.empty()) etag_ = response.header("etag");
    return {};
  }

  Client& client_;
  const std::string& key_;
  const uint64_t offset_;
  const MutableBytes buffer_;
  size_t done_ = 0;
  std::string etag_;
};

}  // namespace

Result<void> has_etag(const HttpResponse& response) {
  if (!unquoted(response.header("etag")).empty()) return {};
  return wrong_answer("names no ETag");
}

// A GET, since the answer to a HEAD does not say what is wrong.
Result<void> check_bucket(Client& client, std::chrono::seconds retry_for) {
  const Request request{
      .method = "GET", .query = {{"list-type", "2"}, {"max-keys", "1"}}, .retry_for = retry_for};
  const auto is_list = [](const HttpResponse& response) -> Result<void> {
    if (parse_objects(response.body)) return {};
    return fail(Code::kFailedPrecondition, "what answers at S3_ENDPOINT is no S3 server");
  };
  TRY(in(client.name_of(""), client.send(request, is_list)));
  return {};
}

Result<StoredObject> head_object(Client& client, const std::string& key) {
  StoredObject object;
  const auto describe = [&](const HttpResponse& response) -> Result<void> {
    object.info = {.key = key,
                   .etag = unquoted(response.header("etag")),
                   .modified_at = modified_at(response)};
    object.upload = response.header(kUploadHeader);
    if (!object.info.etag.empty() &&
        parse_number(response.header("content-length"), object.info.size_bytes))
      return {};
    return wrong_answer("names no ETag or no size");
  };
  TRY(in(client.name_of(key), client.send({.method = "HEAD", .key = key}, describe)));
  return object;
}

Result<ObjectInfo> check_stored(Client& client, const std::string& key, uint64_t size_bytes) {
  StoredObject object = TRY(head_object(client, key));
  if (object.info.size_bytes == size_bytes) return std::move(object.info);
  return std::unexpected(Error{Code::kDataLoss,
                               client.name_of(key) + ": the store holds " +
                                   std::to_string(object.info.size_bytes) + " bytes where " +
                                   std::to_string(size_bytes) + " were written",
                               true});
}

Result<ObjectInfo> put_object(Client& client, const std::string& key, ConstBytes bytes,
                              std::function<bool()> no_more_tries) {
  Request request{.method = "PUT", .key = key, .body = bytes};
  request.no_more_tries = std::move(no_more_tries);
  request.limit = std::chrono::seconds(0);
  TRY(in(client.name_of(key), client.send(request, has_etag)));
  return check_stored(client, key, bytes.size());
}

Result<void> get_range(Client& client, const std::string& key, uint64_t offset,
                       MutableBytes buffer) {
  if (buffer.size() > std::numeric_limits<uint64_t>::max() - offset || buffer.empty()) {
    const uint64_t size = TRY(head_object(client, key))
    .info.size_bytes;
    if (buffer.empty() && offset <= size) return {};
    return fail(Code::kOutOfRange, client.name_of(key) + " ends at byte " + std::to_string(size));
  }
  return in(client.name_of(key), RangeReader(client, key, offset, buffer).run());
}

Result<void> list_objects(Client& client, std::string_view prefix,
                          const std::function<bool(const ObjectInfo&)>& visit) {
  std::string next;
  do {
    Request request{.method = "GET"};
    request.query = {{"list-type", "2"}, {"encoding-type", "url"}, {"prefix", std::string(prefix)}};
    if (!next.empty()) request.query.emplace_back("continuation-token", next);
    const std::string what = "list " + client.name_of(prefix) + "…";
    ObjectPage page;
    TRY(in(what, client.send(request, [&](const HttpResponse& response) -> Result<void> {
      page = TRY(parse_objects(response.body));
      return {};
    })));
    for (const ObjectInfo& object : page.objects) {
      // Others may have been put there under names that are no keys here.
      if (object.key.starts_with(prefix) && check_key(object.key) && !visit(object)) return {};
    }
    if (!page.next.empty() && page.next == next)
      return in(what, Result<void>(wrong_answer("goes round in circles")));
    next = page.next;
  } while (!next.empty());
  return {};
}

Result<void> delete_object(Client& client, const std::string& key) {
  const auto sent = client.send({.method = "DELETE", .key = key});
  if (sent || sent.error().code == Code::kNotFound) return {};
  return std::unexpected(sent.error().in(client.name_of(key)));
}

}  // namespace manman::s3
