#include "archive/container.h"

#include <algorithm>

#include "archive/bytes.h"
#include "archive/format.h"
#include "archive/tar_header.h"
#include "archive/tar_writer.h"
#include "base/file.h"

namespace manman::archive {
namespace {

// One gzip member with the data; the index in empty members, in their FEXTRA subfield "mm".
class GzipContainer final : public Container {
 public:
  // XFL, which every reader skips, is the mark.
  ConstBytes header() const override { return as_bytes(kHeader); }
  // The final empty block, CRC-32, ISIZE.
  std::string data_end(uint32_t stream_crc32, uint64_t stream_size) const override {
    std::string end("\x03\0", 2);
    put_le(end, stream_crc32);
    put_le(end, static_cast<uint32_t>(stream_size));
    return end;
  }
  size_t data_end_size() const override { return 10; }
  bool is_marked(ConstBytes start) const override { return as_text(start).starts_with(kHeader); }

  size_t member_head_size() const override { return 16; }
  std::string member_head(size_t data_size) const override {
    std::string head(kMemberStart);
    put_le(head, static_cast<uint16_t>(data_size + 4));
    head += kSubfield;
    put_le(head, static_cast<uint16_t>(data_size));
    return head;
  }
  size_t member_data_size(ConstBytes head) const override {
    if (head.size() < 16 || !as_text(head).starts_with(kMemberStart)) return 0;
    ByteReader fields(head.subspan(kMemberStart.size()));
    const size_t extra = fields.le<uint16_t>();
    if (as_text(fields.take(2)) != kSubfield) return 0;
    const size_t size = fields.le<uint16_t>();
    return extra == size + 4 ? size : 0;
  }
  std::string_view member_end(size_t /*data_size*/) const override {
    return {"\x03\0\0\0\0\0\0\0\0\0", 10};
  }

 private:
  static constexpr std::string_view kHeader{"\x1f\x8b\x08\0\0\0\0\0\x6d\xff", 10};
  static constexpr std::string_view kMemberStart{"\x1f\x8b\x08\x04\0\0\0\0\0\xff", 10};
  static constexpr std::string_view kSubfield = "mm";
};

// Zstd frames; the index in skippable frames.
class ZstdContainer final : public Container {
 public:
  ConstBytes header() const override { return {}; }
  std::string data_end(uint32_t /*crc*/, uint64_t /*size*/) const override { return {}; }
  size_t data_end_size() const override { return 0; }
  bool is_marked(ConstBytes start) const override {
    if (!as_text(start).starts_with(kZstdFrameStart)) return false;
    ByteReader fields(start.subspan(kZstdFrameStart.size()));
    const auto content_size = fields.le<uint64_t>();
    return fields.ok() && content_size <= format::kFrameSize;
  }

  size_t member_head_size() const override { return 8; }
  std::string member_head(size_t data_size) const override {
    std::string head(kSkippable);
    put_le(head, static_cast<uint32_t>(data_size));
    return head;
  }
  size_t member_data_size(ConstBytes head) const override {
    if (head.size() < 8 || !as_text(head).starts_with(kSkippable)) return 0;
    ByteReader fields(head.subspan(kSkippable.size()));
    const auto size = fields.le<uint32_t>();
    return size <= kMaxMemberData ? size : 0;
  }
  std::string_view member_end(size_t /*data_size*/) const override { return {}; }

 private:
  static constexpr std::string_view kSkippable{"\x5d\x2a\x4d\x18", 4};
};

// The tar stream itself, after a pax global header that holds but a comment; the index in whole
// blocks behind the end mark, where readers have stopped.
class TarContainer final : public Container {
 public:
  ConstBytes header() const override { return as_bytes(mark()); }
  std::string data_end(uint32_t /*crc*/, uint64_t /*size*/) const override { return {}; }
  size_t data_end_size() const override { return 0; }
  bool is_marked(ConstBytes start) const override { return as_text(start).starts_with(mark()); }

  size_t member_head_size() const override { return 16; }
  std::string member_head(size_t data_size) const override {
    std::string head(kMagic);
    put_le(head, static_cast<uint32_t>(data_size));
    return head;
  }
  size_t member_data_size(ConstBytes head) const override {
    if (head.size() < 16 || !as_text(head).starts_with(kMagic)) return 0;
    ByteReader fields(head.subspan(kMagic.size()));
    const auto size = fields.le<uint32_t>();
    return size <= kMaxMemberData ? size : 0;
  }
  std::string_view member_end(size_t data_size) const override {
    static constexpr std::array<char, kTarBlock> kZeros{};
    return {kZeros.data(), (kTarBlock - (16 + data_size) % kTarBlock) % kTarBlock};
  }

 private:
  static constexpr std::string_view kMagic = "manman-index";

  static const std::string& mark() {
    static const std::string bytes =
        tar_comment("archive of manman, version 1; its index stands behind the end mark");
    return bytes;
  }
};

}  // namespace

std::string Container::member(std::string_view data) const {
  return member_head(data.size()) + std::string(data) + std::string(member_end(data.size()));
}

const Container& container_of(ArchiveFormat format) {
  static const GzipContainer gzip;
  static const ZstdContainer zstd;
  static const TarContainer tar;
  switch (format) {
    case ArchiveFormat::kZstd:
      return zstd;
    case ArchiveFormat::kNone:
      return tar;
    case ArchiveFormat::kGzip:
      break;
  }
  return gzip;
}

std::optional<ArchiveFormat> format_marked_by(ConstBytes start) {
  for (const ArchiveFormat one : kAllFormats)
    if (container_of(one).is_marked(start)) return one;
  return std::nullopt;
}

}  // namespace manman::archive
