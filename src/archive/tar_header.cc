#include "archive/tar_header.h"

#include <limits>
#include <string_view>

#include "archive/bytes.h"

namespace manman::archive {
namespace {

std::unexpected<Error> bad(std::string_view what) {
  return fail(Code::kDataLoss, "damaged tar header: " + std::string(what));
}

// Text up to the first NUL or the field's end.
std::string text_field(ConstBytes block, size_t at, size_t size) {
  const std::string_view field = as_text(block.subspan(at, size));
  return std::string(field.substr(0, field.find('\0')));
}

// Base-256: the top bit is the mark, the rest a two's complement big-endian number.
std::optional<int64_t> base256(ConstBytes field) {
  const int first = std::to_integer<int>(field[0]) & 0x7f;
  __extension__ typedef __int128 Wide;  // 12 bytes don't fit less
  Wide value = first >= 0x40 ? first - 0x80 : first;
  for (const std::byte byte : field.subspan(1)) value = value * 256 + std::to_integer<int>(byte);
  if (value < std::numeric_limits<int64_t>::min() || value > std::numeric_limits<int64_t>::max())
    return std::nullopt;
  return static_cast<int64_t>(value);
}

// Octal digits between optional spaces, ended by a NUL, a space or the field's end.
std::optional<int64_t> octal(std::string_view field) {
  size_t i = field.find_first_not_of(' ');
  if (i == std::string_view::npos) return 0;
  uint64_t value = 0;
  for (; i < field.size() && field[i] >= '0' && field[i] <= '7'; i++) {
    if (value > (uint64_t{std::numeric_limits<int64_t>::max()} >> 3)) return std::nullopt;
    value = value * 8 + static_cast<uint64_t>(field[i] - '0');
  }
  if (i < field.size() && field[i] != ' ' && field[i] != '\0') return std::nullopt;
  return static_cast<int64_t>(value);
}

std::optional<int64_t> number_field(ConstBytes block, size_t at, size_t size) {
  const ConstBytes field = block.subspan(at, size);
  if ((field[0] & std::byte{0x80}) != std::byte{0}) return base256(field);
  return octal(as_text(field));
}

Result<uint64_t> positive(ConstBytes block, size_t at, size_t size, std::string_view name) {
  const auto value = number_field(block, at, size);
  if (!value || *value < 0) return bad(std::string(name) + " is not a number that can be");
  return static_cast<uint64_t>(*value);
}

// Offset and length, each 12 bytes; an empty pair ends the list.
Result<bool> add_extent(ConstBytes block, size_t at, std::vector<Extent>& extents) {
  if (block[at] == std::byte{0} && block[at + 12] == std::byte{0}) return false;
  const uint64_t offset = TRY(positive(block, at, 12, "a sparse offset"));
  const uint64_t length = TRY(positive(block, at + 12, 12, "a sparse length"));
  if (extents.size() >= kMaxExtents) return bad("too many parts of a sparse file");
  extents.push_back({offset, length});
  return true;
}

Result<void> parse_old_sparse(ConstBytes block, RawHeader& header) {
  for (size_t i = 0; i < 4; i++)
    if (!TRY(add_extent(block, 386 + i * 24, header.extents))) break;
  header.more_extents = block[482] != std::byte{0};
  header.real_size = TRY(positive(block, 483, 12, "the sparse file's size"));
  return {};
}

}  // namespace

bool has_good_checksum(ConstBytes block) {
  const auto expected = number_field(block, 148, 8);
  if (!expected) return false;
  int64_t as_unsigned = 0;
  int64_t as_signed = 0;
  for (size_t i = 0; i < kTarBlock; i++) {
    const std::byte byte = i >= 148 && i < 156 ? std::byte{' '} : block[i];
    as_unsigned += std::to_integer<unsigned char>(byte);
    as_signed += static_cast<signed char>(byte);
  }
  return *expected == as_unsigned || *expected == as_signed;
}

Result<RawHeader> parse_header(ConstBytes block) {
  if (!has_good_checksum(block)) return bad("its checksum is wrong");
  RawHeader header;
  const std::string_view magic = as_text(block.subspan(257, 8));
  const bool posix = magic.starts_with(std::string_view("ustar\0", 6));
  header.is_pax_format = posix;
  header.path = text_field(block, 0, 100);
  if (posix && block[345] != std::byte{0})
    header.path = text_field(block, 345, 155) + "/" + header.path;
  header.link_target = text_field(block, 157, 100);
  header.type = static_cast<char>(block[156]);
  if (header.type == '\0') header.type = '0';
  header.size_bytes = TRY(positive(block, 124, 12, "the size"));
  header.mode = static_cast<uint32_t>(TRY(positive(block, 100, 8, "the mode")) & 07777);
  header.uid = TRY(positive(block, 108, 8, "the owner"));
  header.gid = TRY(positive(block, 116, 8, "the group"));
  const auto mtime = number_field(block, 136, 12);
  if (!mtime) return bad("the time is not a number that can be");
  header.mtime_s = *mtime;
  if (header.type == 'S') TRY(parse_old_sparse(block, header));
  return header;
}

Result<bool> parse_sparse_block(ConstBytes block, std::vector<Extent>& extents) {
  for (size_t i = 0; i < 21; i++)
    if (!TRY(add_extent(block, i * 24, extents))) break;
  return block[504] != std::byte{0};
}

bool extents_fit(const std::vector<Extent>& extents, uint64_t stored_size, uint64_t real_size) {
  uint64_t end = 0;
  uint64_t stored = 0;
  for (const Extent& extent : extents) {
    if (extent.offset < end || extent.offset > real_size ||
        extent.length > real_size - extent.offset)
      return false;
    end = extent.offset + extent.length;
    stored += extent.length;
  }
  return stored == stored_size;
}

}  // namespace manman::archive
