#include "archive/posix_acl.h"

#include <grp.h>
#include <linux/posix_acl_xattr.h>
#include <pwd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <vector>

#include "archive/bytes.h"

namespace manman::archive {
namespace {

enum Tag : uint16_t {
  kUserObj = 0x01,
  kUser = 0x02,
  kGroupObj = 0x04,
  kGroup = 0x08,
  kMask = 0x10,
  kOther = 0x20,
};

struct AclEntry {
  uint16_t tag = 0;
  uint16_t permissions = 0;
  uint32_t id = UINT32_MAX;  // of kUser and kGroup
  auto operator<=>(const AclEntry&) const = default;
};

std::unexpected<Error> bad(std::string_view what) {
  return fail(Code::kInvalidArgument, "bad ACL: " + std::string(what));
}

std::optional<uint32_t> parse_id(std::string_view text) {
  uint32_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return id;
}

std::optional<uint32_t> id_of_name(const std::string& name, bool group) {
  std::vector<char> buffer(size_t{64} << 10);
  if (group) {
    struct group entry{};
    struct group* found = nullptr;
    if (::getgrnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found) != 0 || !found)
      return std::nullopt;
    return entry.gr_gid;
  }
  struct passwd entry{};
  struct passwd* found = nullptr;
  if (::getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found) != 0 || !found)
    return std::nullopt;
  return entry.pw_uid;
}

std::optional<uint16_t> parse_permissions(std::string_view text) {
  uint16_t bits = 0;
  for (const char letter : text) {
    const size_t place = std::string_view("xwr").find(letter);
    if (place == std::string_view::npos && letter != '-') return std::nullopt;
    if (place != std::string_view::npos) bits |= static_cast<uint16_t>(1U << place);
  }
  return bits;
}

// The part before the first `mark`, which is taken off with it.
std::string_view take_until(std::string_view& text, std::string_view marks) {
  const size_t end = text.find_first_of(marks);
  const std::string_view part = text.substr(0, end);
  text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  return part;
}

std::string_view trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

// "KIND:WHO:PERMISSIONS" and perhaps ":ID".
Result<AclEntry> parse_entry(std::string_view text) {
  std::string_view rest = text;
  const std::string_view kind = take_until(rest, ":");
  const std::string_view who = take_until(rest, ":");
  const auto permissions = parse_permissions(trimmed(take_until(rest, ":")));
  const std::string_view number = take_until(rest, ":");
  if (!permissions) return bad("\"" + std::string(text) + "\"");
  AclEntry entry{.tag = 0, .permissions = *permissions};
  const bool named = !who.empty();
  if (kind == "user" || kind == "u") entry.tag = named ? kUser : kUserObj;
  if (kind == "group" || kind == "g") entry.tag = named ? kGroup : kGroupObj;
  if (kind == "mask" || kind == "m") entry.tag = kMask;
  if (kind == "other" || kind == "o") entry.tag = kOther;
  if (entry.tag == 0) return bad("\"" + std::string(text) + "\"");
  if (entry.tag != kUser && entry.tag != kGroup) return entry;
  auto id = parse_id(number);
  if (!id) id = parse_id(who);
  if (!id) id = id_of_name(std::string(who), entry.tag == kGroup);
  if (!id)
    return bad("this machine has no " + std::string(entry.tag == kGroup ? "group " : "user ") +
               std::string(who));
  entry.id = *id;
  return entry;
}

std::string_view kind_text(uint16_t tag) {
  switch (tag) {
    case kUserObj:
    case kUser:
      return "user:";
    case kGroupObj:
    case kGroup:
      return "group:";
    case kMask:
      return "mask:";
    case kOther:
      return "other:";
    default:
      return {};
  }
}

}  // namespace

Result<std::string> acl_to_text(ConstBytes kernel_form) {
  ByteReader fields(kernel_form);
  if (fields.le<uint32_t>() != POSIX_ACL_XATTR_VERSION) return bad("unknown version");
  std::string text;
  while (!fields.rest().empty()) {
    const auto tag = fields.le<uint16_t>();
    const auto permissions = fields.le<uint16_t>();
    const auto id = fields.le<uint32_t>();
    const std::string_view kind = kind_text(tag);
    if (!fields.ok() || kind.empty() || permissions > 7) return bad("unknown form");
    if (!text.empty()) text += ',';
    text += kind;
    if (tag == kUser || tag == kGroup) text += std::to_string(id);
    text += ':';
    for (int bit = 2; bit >= 0; bit--) text += (permissions >> bit & 1) != 0 ? "xwr"[bit] : '-';
  }
  return text;
}

Result<std::string> acl_from_text(std::string_view text) {
  std::vector<AclEntry> entries;
  while (!text.empty()) {
    std::string_view one = take_until(text, ",\n");
    one = trimmed(one.substr(0, one.find('#')));
    if (!one.empty()) entries.push_back(TRY(parse_entry(one)));
  }
  if (entries.empty()) return bad("it is empty");
  std::ranges::sort(entries);  // the kernel wants the kinds in this order
  std::string kernel_form;
  put_le(kernel_form, uint32_t{POSIX_ACL_XATTR_VERSION});
  for (const AclEntry& entry : entries) {
    put_le(kernel_form, entry.tag);
    put_le(kernel_form, entry.permissions);
    put_le(kernel_form, entry.id);
  }
  return kernel_form;
}

}  // namespace manman::archive
