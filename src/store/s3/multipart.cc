#include "store/s3/multipart.h"

#include <sys/random.h>

#include <array>
#include <cerrno>

#include "base/file.h"
#include "base/sha256.h"
#include "store/s3/answer.h"
#include "store/s3/objects.h"

namespace manman::s3 {
namespace {

// Joining thousands of parts may take a server minutes, in which nothing moves.
constexpr std::chrono::seconds kCompleteLimit{600};
constexpr std::chrono::seconds kAbortRetryFor{5};
constexpr std::chrono::seconds kAbortLimit{10};

Result<std::string> random_mark() {
  std::array<std::byte, 16> bytes;
  if (::getentropy(bytes.data(), bytes.size()) != 0) return fail_errno("read random bytes", errno);
  return to_hex(bytes);
}

// An upload that something else ended may be tried anew as a whole.
template <typename T>
Result<T> anew(Result<T> result) {
  if (!result && result.error().code == Code::kAborted) result.error().retryable = true;
  return result;
}

// One try to complete. A 200 may carry an error: the server begins its answer before it is done.
Result<void> try_complete(Client& client, const Request& request) {
  HttpResponse response;
  TRY(client.try_once(request, response));
  if (auto error = error_in_body(response, client.config(), request.key))
    return std::unexpected(std::move(*error));
  TRY(parse_completed(response.body));
  return {};
}

// Whether the object that is there came of this upload.
Result<bool> is_stored(Client& client, const Multipart& upload) {
  const auto object = head_object(client, upload.key);
  if (object) return object->upload == upload.mark;
  if (object.error().code == Code::kNotFound) return false;
  return std::unexpected(object.error());
}

Result<UploadPage> list_page(Client& client, std::string_view prefix, const UploadPage& before) {
  Request request{.method = "GET"};
  // Keys are not asked for encoded: Ceph then encodes them without saying so.
  request.query = {{"uploads", ""}, {"prefix", std::string(prefix)}};
  if (before.more) request.query.emplace_back("key-marker", before.next_key);
  if (before.more && !before.next_id.empty())
    request.query.emplace_back("upload-id-marker", before.next_id);
  UploadPage page;
  TRY(client.send(request, [&](const HttpResponse& response) -> Result<void> {
    page = TRY(parse_uploads(response.body));
    return {};
  }));
  if (page.more && page.next_key == before.next_key && page.next_id == before.next_id)
    return fail(Code::kDataLoss, "the server's answer goes round in circles");
  return page;
}

}  // namespace

Result<Multipart> create_multipart(Client& client, const std::string& key,
                                   const std::function<bool()>& cancelled) {
  Multipart upload {
    key, "", TRY(random_mark())
  };
  Request request{.method = "POST", .key = key, .query = {{"uploads", ""}}};
  request.headers = {{kUploadHeader, upload.mark}};
  request.cancelled = cancelled;
  const auto take_id = [&](const HttpResponse& response) -> Result<void> {
    upload.id = TRY(parse_upload_id(response.body));
    return {};
  };
  TRY(in("begin the upload of " + client.name_of(key), client.send(request, take_id)));
  return upload;
}

Result<std::string> upload_part(Client& client, const Multipart& upload, int number,
                                ConstBytes bytes, const std::function<bool()>& cancelled) {
  Request request{.method = "PUT", .key = upload.key, .body = bytes};
  request.query = {{"partNumber", std::to_string(number)}, {"uploadId", upload.id}};
  request.body_sha256 = to_hex(Sha256::of(bytes));
  request.limit = std::chrono::seconds(0);
  request.cancelled = cancelled;
  const auto response =
      TRY(in("part " + std::to_string(number) + " of " + client.name_of(upload.key),
             anew(client.send(request, has_etag))));
  return unquoted(response.header("etag"));
}

Result<ObjectInfo> complete_multipart(Client& client, const Multipart& upload,
                                      const std::vector<std::string>& etags, uint64_t size_bytes,
                                      std::function<bool()> no_more_tries) {
  const std::string body = complete_body(etags);
  Request request{.method = "POST", .key = upload.key, .query = {{"uploadId", upload.id}}};
  request.body = as_bytes(body);
  request.headers = {{"content-type", "application/xml"}};
  request.limit = kCompleteLimit;
  request.stall_timeout = kCompleteLimit;
  request.no_more_tries = std::move(no_more_tries);
  Retries tries = client.retries(request);
  auto completed = try_complete(client, request);
  while (!completed && tries.again(completed.error())) completed = try_complete(client, request);
  // An earlier try, or this one, may have done it all the same.
  if (!completed && !TRY(is_stored(client, upload)))
    return std::unexpected(tries.give_up(anew(std::move(completed)).error())
                               .in("complete the upload of " + client.name_of(upload.key)));
  return check_stored(client, upload.key, size_bytes);
}

Result<void> abort_multipart(Client& client, const std::string& key, const std::string& id) {
  Request request{.method = "DELETE", .key = key, .query = {{"uploadId", id}}};
  request.limit = kAbortLimit;
  request.retry_for = kAbortRetryFor;
  request.cancelled = [] { return false; };
  const auto sent = client.send(request);
  const auto is_gone = [](const Error& error) {
    return error.code == Code::kNotFound || error.code == Code::kAborted;
  };
  if (sent || is_gone(sent.error())) return {};
  return std::unexpected(sent.error().in("abort the upload of " + client.name_of(key)));
}

Result<void> list_uploads(Client& client, std::string_view prefix,
                          const std::function<bool(const PendingUpload&)>& visit) {
  UploadPage page;
  do {
    page =
        TRY(in("list the uploads of " + client.name_of(prefix), list_page(client, prefix, page)));
    for (PendingUpload& upload : page.uploads) {
      if (!upload.key.starts_with(prefix)) continue;
      if (upload.begun_at > 0) upload.age_s = client.now_s() - upload.begun_at;
      if (!visit(upload)) return {};
    }
  } while (page.more);
  return {};
}

}  // namespace manman::s3
