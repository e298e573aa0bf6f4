#include "store/s3/xml.h"

#include <charconv>
#include <ctime>
#include <pugixml.hpp>
#include <sstream>

namespace manman::s3 {
namespace {

std::unexpected<Error> unusable(const std::string& why) {
  return std::unexpected(Error{Code::kDataLoss, "the server's answer " + why, true});
}

// The document's element of this name. While a server is still at work on an answer it may send
// white space in front of it.
Result<pugi::xml_node> root_of(pugi::xml_document& document, std::string_view body,
                               const char* name) {
  const size_t begin = body.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return unusable("is empty");
  body.remove_prefix(begin);
  if (!document.load_buffer(body.data(), body.size())) return unusable("is no XML");
  const pugi::xml_node root = document.child(name);
  if (!root) return unusable("is no " + std::string(name));
  return root;
}

std::string decoded(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); i++) {
    unsigned value = 0;
    if (text[i] == '%' && i + 2 < text.size() &&
        std::from_chars(&text[i + 1], &text[i + 3], value, 16).ptr == &text[i + 3]) {
      out += static_cast<char>(value);
      i += 2;
    } else {
      out += text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

// Keys come encoded when the server understood that it was asked to.
std::string key_in(const pugi::xml_node& root, const char* text) {
  const bool encoded = std::string_view(root.child_value("EncodingType")) == "url";
  return encoded ? decoded(text) : std::string(text);
}

// "2009-10-12T17:50:30.000Z"; 0 for anything else.
int64_t time_of(const char* text) {
  tm parts{};
  if (strptime(text, "%Y-%m-%dT%H:%M:%S", &parts) == nullptr) return 0;
  return timegm(&parts);
}

bool is_true(const char* text) {
  return std::string_view(text) == "true";
}

}  // namespace

std::optional<ErrorBody> parse_error(std::string_view body) {
  pugi::xml_document document;
  const auto root = root_of(document, body, "Error");
  if (!root) return std::nullopt;
  return ErrorBody{root->child_value("Code"), root->child_value("Message"),
                   root->child_value("Region")};
}

Result<ObjectPage> parse_objects(std::string_view body) {
  pugi::xml_document document;
  const pugi::xml_node root = TRY(root_of(document, body, "ListBucketResult"));
  ObjectPage page;
  for (const pugi::xml_node node : root.children("Contents")) {
    ObjectInfo object;
    object.key = key_in(root, node.child_value("Key"));
    const std::string_view size = node.child_value("Size");
    const auto [end, error] =
        std::from_chars(size.data(), size.data() + size.size(), object.size_bytes);
    if (object.key.empty() || error != std::errc() || end != size.data() + size.size())
      return unusable("lists an object without key or size");
    object.etag = unquoted(node.child_value("ETag"));
    object.modified_at = time_of(node.child_value("LastModified"));
    page.objects.push_back(std::move(object));
  }
  if (!is_true(root.child_value("IsTruncated"))) return page;
  page.next = root.child_value("NextContinuationToken");
  if (page.next.empty()) return unusable("is cut short and does not say how to go on");
  return page;
}

Result<UploadPage> parse_uploads(std::string_view body) {
  pugi::xml_document document;
  const pugi::xml_node root = TRY(root_of(document, body, "ListMultipartUploadsResult"));
  UploadPage page;
  for (const pugi::xml_node node : root.children("Upload")) {
    PendingUpload upload{key_in(root, node.child_value("Key")), node.child_value("UploadId"),
                         time_of(node.child_value("Initiated"))};
    if (upload.key.empty() || upload.id.empty())
      return unusable("lists an upload without key or id");
    page.uploads.push_back(std::move(upload));
  }
  page.more = is_true(root.child_value("IsTruncated"));
  page.next_key = key_in(root, root.child_value("NextKeyMarker"));
  page.next_id = root.child_value("NextUploadIdMarker");
  if (page.more && page.next_key.empty())
    return unusable("is cut short and does not say how to go on");
  return page;
}

Result<std::string> parse_upload_id(std::string_view body) {
  pugi::xml_document document;
  const pugi::xml_node root = TRY(root_of(document, body, "InitiateMultipartUploadResult"));
  std::string id = root.child_value("UploadId");
  if (id.empty()) return unusable("names no upload id");
  return id;
}

Result<std::string> parse_completed(std::string_view body) {
  pugi::xml_document document;
  const pugi::xml_node root = TRY(root_of(document, body, "CompleteMultipartUploadResult"));
  std::string etag = unquoted(root.child_value("ETag"));
  if (etag.empty()) return unusable("names no ETag");
  return etag;
}

std::string complete_body(const std::vector<std::string>& etags) {
  pugi::xml_document document;
  pugi::xml_node root = document.append_child("CompleteMultipartUpload");
  root.append_attribute("xmlns") = "http://s3.amazonaws.com/doc/2006-03-01/";
  for (size_t i = 0; i < etags.size(); i++) {
    pugi::xml_node part = root.append_child("Part");
    part.append_child("PartNumber").text() = static_cast<unsigned>(i + 1);
    part.append_child("ETag").text() = ("\"" + etags[i] + "\"").c_str();
  }
  std::ostringstream text;
  document.save(text, "", pugi::format_raw);
  return std::move(text).str();
}

std::string unquoted(std::string_view etag) {
  if (etag.size() >= 2 && etag.front() == '"' && etag.back() == '"')
    etag = etag.substr(1, etag.size() - 2);
  return std::string(etag);
}

}  // namespace manman::s3
