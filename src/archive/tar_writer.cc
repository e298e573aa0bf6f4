#include "archive/tar_writer.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>

namespace manman::archive {
namespace {

constexpr size_t kBlock = 512;

// Offsets and sizes of the ustar header's fields.
struct Field {
  size_t at;
  size_t size;
};
constexpr Field kName{0, 100};
constexpr Field kMode{100, 8};
constexpr Field kUid{108, 8};
constexpr Field kGid{116, 8};
constexpr Field kSize{124, 12};
constexpr Field kMtime{136, 12};
constexpr Field kChecksum{148, 8};
constexpr Field kType{156, 1};
constexpr Field kLinkName{157, 100};
constexpr Field kMagic{257, 8};
constexpr Field kDevMajor{329, 8};
constexpr Field kDevMinor{337, 8};
constexpr Field kPrefix{345, 155};

constexpr uint64_t max_of(Field field) {
  return (uint64_t{1} << (3 * (field.size - 1))) - 1;
}

class Header {
 public:
  void text(Field field, std::string_view value) {
    std::memcpy(block_.data() + field.at, value.data(), std::min(value.size(), field.size));
  }
  void number(Field field, uint64_t value) { octal(field.at, field.size - 1, value); }
  // Appends the header.
  void finish(std::string& out) {
    text(kChecksum, "        ");
    unsigned sum = 0;
    for (const char byte : block_) sum += static_cast<unsigned char>(byte);
    octal(kChecksum.at, 6, sum);
    block_[kChecksum.at + 6] = '\0';
    out.append(block_.data(), block_.size());
  }

 private:
  void octal(size_t at, size_t digits, uint64_t value) {
    for (size_t i = at + digits; i-- > at; value >>= 3)
      block_[i] = static_cast<char>('0' + (value & 7));
  }

  std::array<char, kBlock> block_{};
};

void pad(std::string& bytes) {
  bytes.resize((bytes.size() + kBlock - 1) / kBlock * kBlock);
}

bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

// Well-formed UTF-8 (Unicode 15, table 3-7).
bool is_utf8(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i++]);
    if (lead < 0x80) continue;
    const int more = lead >= 0xc2 && lead <= 0xdf   ? 1
                     : lead >> 4 == 0xe             ? 2
                     : lead >= 0xf0 && lead <= 0xf4 ? 3
                                                    : 0;
    if (more == 0 || text.size() - i < static_cast<size_t>(more)) return false;
    const auto second = static_cast<unsigned char>(text[i]);
    if ((lead == 0xe0 && second < 0xa0) || (lead == 0xed && second > 0x9f) ||
        (lead == 0xf0 && second < 0x90) || (lead == 0xf4 && second > 0x8f))
      return false;
    for (int k = 0; k < more; k++, i++)
      if ((static_cast<unsigned char>(text[i]) & 0xc0) != 0x80) return false;
  }
  return true;
}

// "LENGTH KEY=VALUE\n", where LENGTH counts itself.
std::string pax_record(std::string_view key, std::string_view value) {
  const size_t rest = key.size() + value.size() + 3;
  std::string length = std::to_string(rest + 1);
  for (;;) {
    const std::string longer = std::to_string(rest + length.size());
    if (longer == length) break;
    length = longer;
  }
  std::string record;
  record.reserve(rest + length.size());
  return record.append(length).append(" ").append(key).append("=").append(value).append("\n");
}

// The key of a record ends at the first '='.
std::string coded_name(std::string_view name) {
  std::string coded;
  for (const char c : name) {
    if (c == '%')
      coded += "%25";
    else if (c == '=')
      coded += "%3D";
    else
      coded += c;
  }
  return coded;
}

std::string pax_time(int64_t seconds, uint32_t nanoseconds) {
  if (nanoseconds == 0) return std::to_string(seconds);
  // A fraction counts away from zero in decimal notation: -1 s + 0.25 s is "-0.75".
  const bool before = seconds < 0;
  // With a one in front, which keeps the fraction's zeros.
  std::string fraction =
      std::to_string(1'000'000'000 + (before ? 1'000'000'000 - nanoseconds : nanoseconds));
  fraction[0] = '.';
  std::string text = before ? "-" + std::to_string(-(seconds + 1)) : std::to_string(seconds);
  text += fraction;
  while (text.back() == '0') text.pop_back();
  return text;
}

// Where to cut the path so that both parts fit ustar's prefix and name; npos when nowhere.
size_t ustar_split(std::string_view path) {
  if (path.size() <= kName.size) return 0;
  if (path.size() > kPrefix.size + 1 + kName.size) return std::string_view::npos;
  // The name takes at most 100 bytes and must not be empty.
  for (size_t cut = path.size() - kName.size - 1; cut + 1 < path.size() && cut <= kPrefix.size;
       cut++)
    if (path[cut] == '/' && cut > 0) return cut;
  return std::string_view::npos;
}

char type_of(EntryKind kind) {
  switch (kind) {
    case EntryKind::kFile:
      return '0';
    case EntryKind::kHardLink:
      return '1';
    case EntryKind::kSymlink:
      return '2';
    case EntryKind::kFolder:
      return '5';
  }
  return '0';
}

// A header of pax, type x (of the next entry) or g (global), with the records.
std::string pax_header(std::string_view name, std::string_view type, const std::string& records) {
  Header header;
  header.text(kName, name);
  header.number(kMode, 0644);
  header.number(kUid, 0);
  header.number(kGid, 0);
  header.number(kSize, records.size());
  header.number(kMtime, 0);
  header.text(kType, type);
  header.text(kMagic, std::string_view("ustar\00000", 8));
  std::string out;
  out.reserve(3 * kBlock);  // of most entries, with the header that comes behind
  header.finish(out);
  out += records;
  pad(out);
  return out;
}

}  // namespace

std::string tar_header(const Entry& entry, const Xattrs& xattrs) {
  const std::string path = entry.kind == EntryKind::kFolder ? entry.path + "/" : entry.path;
  Header header;
  std::string records;
  bool binary = false;
  const auto extend_text = [&](std::string_view key, std::string_view value) {
    records += pax_record(key, value);
    binary = binary || !is_utf8(value);
  };
  // Fields that are too small are left at zero, which the record overrules.
  const auto number = [&](Field field, std::string_view key, uint64_t value) {
    const bool fits = value <= max_of(field);
    header.number(field, fits ? value : 0);
    if (!fits) records += pax_record(key, std::to_string(value));
  };

  const size_t split = ustar_split(path);
  const bool path_fits = split != std::string_view::npos;
  if (path_fits && split > 0) header.text(kPrefix, std::string_view(path).substr(0, split));
  header.text(kName, path_fits && split > 0 ? std::string_view(path).substr(split + 1) : path);
  if (!path_fits || !is_ascii(path)) extend_text("path", path);
  header.text(kLinkName, entry.link_target);
  if (entry.link_target.size() > kLinkName.size || !is_ascii(entry.link_target))
    extend_text("linkpath", entry.link_target);

  header.number(kMode, entry.mode);
  number(kUid, "uid", entry.uid);
  number(kGid, "gid", entry.gid);
  number(kSize, "size", entry.kind == EntryKind::kFile ? entry.size_bytes : 0);
  const bool whole_time = entry.mtime_ns == 0 && entry.mtime_s >= 0 &&
                          static_cast<uint64_t>(entry.mtime_s) <= max_of(kMtime);
  const bool time_fits =
      entry.mtime_s >= 0 && static_cast<uint64_t>(entry.mtime_s) <= max_of(kMtime);
  header.number(kMtime, time_fits ? static_cast<uint64_t>(entry.mtime_s) : 0);
  if (!whole_time) records += pax_record("mtime", pax_time(entry.mtime_s, entry.mtime_ns));

  for (const Xattr& one : xattrs.named)
    records += pax_record("SCHILY.xattr." + coded_name(one.name), one.value);
  if (!xattrs.access_acl.empty()) records += pax_record("SCHILY.acl.access", xattrs.access_acl);
  if (!xattrs.default_acl.empty()) records += pax_record("SCHILY.acl.default", xattrs.default_acl);

  const char type = type_of(entry.kind);
  header.text(kType, {&type, 1});
  header.text(kMagic, std::string_view("ustar\00000", 8));
  header.number(kDevMajor, 0);
  header.number(kDevMinor, 0);
  // Says that names are bytes, to readers that would take them for UTF-8.
  if (binary) records.insert(0, pax_record("hdrcharset", "BINARY"));
  std::string out;
  if (!records.empty()) out = pax_header("././@PaxHeader", "x", records);
  header.finish(out);
  return out;
}

std::string tar_comment(std::string_view text) {
  return pax_header("pax_global_header", "g", pax_record("comment", text));
}

}  // namespace manman::archive
