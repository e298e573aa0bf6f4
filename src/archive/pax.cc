#include <charconv>
#include <cmath>
#include <limits>
#include <string_view>

#include "archive/bytes.h"
#include "archive/tar_header.h"

namespace manman::archive {
namespace {

std::unexpected<Error> bad(std::string_view what) {
  return fail(Code::kDataLoss, "damaged pax header: " + std::string(what));
}

struct Time {
  int64_t seconds = 0;
  uint32_t nanoseconds = 0;
};

// "1e-09", as Python's tarfile has times of less than 100 us.
std::optional<Time> parse_float_time(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || std::abs(value) >= 1)
    return std::nullopt;
  const double seconds = std::floor(value);
  const double nanoseconds = std::floor((value - seconds) * 1e9 + 0.5);
  return Time{static_cast<int64_t>(seconds),
              static_cast<uint32_t>(std::min(nanoseconds, 999'999'999.0))};
}

// "[-]SECONDS[.FRACTION]", rounded down to nanoseconds.
std::optional<Time> parse_time(std::string_view text) {
  if (text.find('e') != std::string_view::npos) return parse_float_time(text);
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  const size_t dot = text.find('.');
  const auto seconds = parse_decimal(text.substr(0, dot));
  if (!seconds) return std::nullopt;
  const std::string_view fraction =
      dot == std::string_view::npos ? std::string_view() : text.substr(dot + 1);
  uint32_t nanoseconds = 0;
  bool more = false;  // digits other than 0 beyond the ninth
  for (size_t i = 0; i < std::max<size_t>(9, fraction.size()); i++) {
    const char digit = i < fraction.size() ? fraction[i] : '0';
    if (digit < '0' || digit > '9') return std::nullopt;
    if (i < 9)
      nanoseconds = nanoseconds * 10 + static_cast<uint32_t>(digit - '0');
    else
      more = more || digit != '0';
  }
  Time time{static_cast<int64_t>(*seconds), nanoseconds};
  if (!negative) return time;
  time.seconds = -time.seconds;
  if (more) nanoseconds++;
  if (nanoseconds == 0) return time;
  return Time{time.seconds - 1, 1'000'000'000 - nanoseconds};
}

Result<void> set_number(std::optional<uint64_t>& field, std::string_view value) {
  field = parse_decimal(value);
  if (!field && !value.empty()) return bad("\"" + std::string(value) + "\" is not a number");
  return {};
}

Result<void> set_text(std::optional<std::string>& field, std::string_view value) {
  if (value.find('\0') != std::string_view::npos) return bad("a path with a NUL in it");
  field.reset();
  if (!value.empty()) field = std::string(value);
  return {};
}

Result<void> set_time(Attributes& attributes, std::string_view value) {
  attributes.mtime_s.reset();
  attributes.mtime_ns = 0;
  if (value.empty()) return {};
  const auto time = parse_time(value);
  if (!time) return bad("\"" + std::string(value) + "\" is not a time");
  attributes.mtime_s = time->seconds;
  attributes.mtime_ns = time->nanoseconds;
  return {};
}

Result<void> add_map_number(Attributes& attributes, std::string_view text) {
  const auto number = parse_decimal(text);
  if (!number) return bad("the map of a sparse file is not made of numbers");
  if (!attributes.half_extent) {
    attributes.half_extent = number;
    return {};
  }
  if (attributes.extents.size() >= kMaxExtents) return bad("too many parts of a sparse file");
  attributes.extents.push_back({*attributes.half_extent, *number});
  attributes.half_extent.reset();
  return {};
}

// "offset,length,offset,length…"
Result<void> set_map(Attributes& attributes, std::string_view value) {
  attributes.extents.clear();
  attributes.half_extent.reset();
  while (!value.empty()) {
    const size_t comma = value.find(',');
    TRY(add_map_number(attributes, value.substr(0, comma)));
    value = comma == std::string_view::npos ? std::string_view() : value.substr(comma + 1);
  }
  return {};
}

Result<void> apply_sparse(std::string_view key, std::string_view value, Attributes& attributes) {
  attributes.sparse = true;
  if (key == "major") {
    if (value != "1" && value != "0") return bad("unknown version of sparse files");
    attributes.map_in_data = value == "1";
  } else if (key == "size" || key == "realsize") {
    return set_number(attributes.real_size, value);
  } else if (key == "name") {
    return set_text(attributes.sparse_name, value);
  } else if (key == "map") {
    return set_map(attributes, value);
  } else if (key == "offset") {
    if (attributes.half_extent) return bad("a sparse offset without a length");
    return add_map_number(attributes, value);
  } else if (key == "numbytes") {
    if (!attributes.half_extent) return bad("a sparse length without an offset");
    return add_map_number(attributes, value);
  }
  return {};
}

// '%' and '=' stand as %25 and %3D in the names of attributes, others may.
std::string decode_name(std::string_view text) {
  std::string name;
  while (!text.empty()) {
    unsigned byte = 0;
    const bool coded =
        text.size() >= 3 && text[0] == '%' &&
        std::from_chars(text.data() + 1, text.data() + 3, byte, 16).ptr == text.data() + 3;
    name += coded ? static_cast<char>(byte) : text[0];
    text.remove_prefix(coded ? 3 : 1);
  }
  return name;
}

Result<void> add_xattr(Attributes& attributes, std::string_view coded_name,
                       std::string_view value) {
  std::string name = decode_name(coded_name);
  if (name.find('\0') != std::string::npos)
    return bad("the name of an extended attribute has a NUL in it");
  if (is_carried(name)) attributes.xattrs.named.push_back({std::move(name), std::string(value)});
  return {};
}

Result<void> apply(std::string_view key, std::string_view value, Attributes& attributes) {
  constexpr std::string_view kSparse = "GNU.sparse.";
  constexpr std::string_view kXattr = "SCHILY.xattr.";
  if (key.starts_with(kXattr)) return add_xattr(attributes, key.substr(kXattr.size()), value);
  if (key == "SCHILY.acl.access") {
    attributes.xattrs.access_acl = value;
    return {};
  }
  if (key == "SCHILY.acl.default") {
    attributes.xattrs.default_acl = value;
    return {};
  }
  if (key == "path") return set_text(attributes.path, value);
  if (key == "linkpath") return set_text(attributes.link_target, value);
  if (key == "size") return set_number(attributes.size_bytes, value);
  if (key == "uid") return set_number(attributes.uid, value);
  if (key == "gid") return set_number(attributes.gid, value);
  if (key == "mtime") return set_time(attributes, value);
  if (key.starts_with(kSparse)) return apply_sparse(key.substr(kSparse.size()), value, attributes);
  return {};
}

}  // namespace

std::optional<uint64_t> parse_decimal(std::string_view text) {
  if (text.empty()) return std::nullopt;
  constexpr uint64_t kMax = std::numeric_limits<int64_t>::max();
  uint64_t value = 0;
  for (const char digit : text) {
    if (digit < '0' || digit > '9') return std::nullopt;
    const auto number = static_cast<uint64_t>(digit - '0');
    if (value > (kMax - number) / 10) return std::nullopt;
    value = value * 10 + number;
  }
  return value;
}

Result<void> parse_pax(ConstBytes records, Attributes& attributes) {
  std::string_view text = as_text(records);
  while (!text.empty()) {
    const size_t space = text.find(' ');
    const auto length = parse_decimal(text.substr(0, space));
    if (space == std::string_view::npos || space > 7 || !length || *length > text.size() ||
        *length < space + 4)
      return bad("a record's length is wrong");
    std::string_view record = text.substr(space + 1, *length - space - 1);
    text.remove_prefix(*length);
    const size_t equals = record.find('=');
    if (!record.ends_with('\n') || equals == std::string_view::npos || equals == 0)
      return bad("a record is malformed");
    record.remove_suffix(1);
    TRY(apply(record.substr(0, equals), record.substr(equals + 1), attributes));
  }
  return {};
}

}  // namespace manman::archive
