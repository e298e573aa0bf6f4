#include "domain/object_url.h"

#include <algorithm>
#include <charconv>

namespace manman {
namespace {

constexpr std::string_view kScheme = "s3://";
constexpr size_t kMaxKeyBytes = 1024;  // S3's limit

// A bucket's name is one folder's name in the folder store and one path segment of a request.
bool is_bucket_name(std::string_view name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_';
  };
  return !name.empty() && name.size() <= 255 && name != "." && name != ".." &&
         std::ranges::all_of(name, allowed);
}

bool has_dot_segment(std::string_view key) {
  while (true) {
    const size_t slash = key.find('/');
    const std::string_view segment = key.substr(0, slash);
    if (segment == "." || segment == "..") return true;
    if (slash == std::string_view::npos) return false;
    key.remove_prefix(slash + 1);
  }
}

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f;
}

// The url as it may stand in a message or a log line.
std::string shown(std::string_view url) {
  std::string text(url.substr(0, 200));
  std::ranges::replace_if(text, is_control, '?');
  return text;
}

}  // namespace

Result<ObjectUrl> ObjectUrl::parse(std::string_view url) {
  const auto refuse = [&](std::string_view why) {
    return fail(Code::kInvalidArgument, "object url \"" + shown(url) + "\": " + std::string(why));
  };
  if (!url.starts_with(kScheme)) return refuse("must be s3://{bucket}/{key}");
  const std::string_view rest = url.substr(kScheme.size());
  const size_t slash = rest.find('/');
  const std::string_view bucket = rest.substr(0, slash);
  const std::string_view key =
      slash == std::string_view::npos ? std::string_view() : rest.substr(slash + 1);
  if (!is_bucket_name(bucket)) return refuse("bad name of a bucket");
  if (key.empty()) return refuse("has no key");
  if (key.size() > kMaxKeyBytes) return refuse("key is longer than 1024 bytes");
  if (std::ranges::any_of(key, is_control)) return refuse("key has a control character");
  if (key.front() == '/' || has_dot_segment(key)) return refuse("key leaves its folder");
  return ObjectUrl{std::string(bucket), std::string(key)};
}

std::string backup_key(int64_t sgc_id, int64_t backup_id, ArchiveFormat format) {
  return std::string(kBackupPrefix) + std::to_string(sgc_id) + "/" + std::to_string(backup_id) +
         std::string(name_ending(format));
}

std::optional<BackupKey> backup_key_from(std::string_view key) {
  if (!key.starts_with(kBackupPrefix)) return std::nullopt;
  const std::string_view rest = key.substr(kBackupPrefix.size());
  const char* const end = rest.data() + rest.size();
  BackupKey parts;
  const auto sgc = std::from_chars(rest.data(), end, parts.sgc_id);
  if (sgc.ec != std::errc() || sgc.ptr == end || *sgc.ptr != '/') return std::nullopt;
  const auto backup = std::from_chars(sgc.ptr + 1, end, parts.backup_id);
  if (backup.ec != std::errc() || parts.sgc_id <= 0 || parts.backup_id <= 0) return std::nullopt;
  // Only as it is written here: no zeros in front.
  for (const ArchiveFormat format : kAllFormats) {
    parts.format = format;
    if (backup_key(parts.sgc_id, parts.backup_id, format) == key) return parts;
  }
  return std::nullopt;
}

}  // namespace manman
