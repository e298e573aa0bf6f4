#include "archive/frame_codec.h"

#include <libdeflate.h>
#include <zlib.h>

#include <cstring>

#include "archive/gzip_frames.h"
#include "archive/zstd_frames.h"

namespace manman::archive {
namespace {

class CopyPacker final : public FramePacker {
 private:
  Result<void> compress(ConstBytes raw, std::vector<std::byte>& packed) override {
    packed.assign(raw.begin(), raw.end());
    return {};
  }
};

class CopyUnpacker final : public FrameUnpacker {
 private:
  Result<void> decompress(MutableBytes packed_and_room, MutableBytes raw) override {
    const ConstBytes packed = packed_and_room.first(packed_and_room.size() - kRoom);
    if (packed.size() != raw.size()) return fail(Code::kDataLoss, "it is not of its size");
    std::memcpy(raw.data(), packed.data(), raw.size());
    return {};
  }
};

}  // namespace

uint32_t crc32_of(ConstBytes bytes) {
  return libdeflate_crc32(0, bytes.data(), bytes.size());
}

uint32_t crc32_join(uint32_t first, uint32_t second, uint64_t second_size) {
  return static_cast<uint32_t>(crc32_combine(first, second, static_cast<z_off_t>(second_size)));
}

Result<format::FrameRecord> FramePacker::pack(ConstBytes raw, std::vector<std::byte>& packed) {
  TRY(compress(raw, packed));
  return format::FrameRecord{.packed_size = static_cast<uint32_t>(packed.size()),
                             .raw_size = static_cast<uint32_t>(raw.size()),
                             .crc32 = crc32_of(raw),
                             .sha256 = Sha256::of(packed)};
}

Result<void> FrameUnpacker::unpack(const format::FrameRecord& record, MutableBytes packed_and_room,
                                   MutableBytes raw) {
  if (Sha256::of(packed_and_room.first(record.packed_size)) != record.sha256)
    return fail(Code::kDataLoss, "its hash does not match");
  TRY(decompress(packed_and_room.first(record.packed_size + kRoom), raw));
  if (crc32_of(raw) != record.crc32) return fail(Code::kDataLoss, "its CRC-32 does not match");
  return {};
}

std::unique_ptr<FramePacker> make_packer(const Compression& compression) {
  switch (compression.format) {
    case ArchiveFormat::kGzip:
      return make_gzip_packer(compression.level);
    case ArchiveFormat::kZstd:
      return make_zstd_packer(compression.level);
    case ArchiveFormat::kNone:
      break;
  }
  return std::make_unique<CopyPacker>();
}

std::unique_ptr<FrameUnpacker> make_unpacker(ArchiveFormat format) {
  switch (format) {
    case ArchiveFormat::kGzip:
      return make_gzip_unpacker();
    case ArchiveFormat::kZstd:
      return make_zstd_unpacker();
    case ArchiveFormat::kNone:
      break;
  }
  return std::make_unique<CopyUnpacker>();
}

}  // namespace manman::archive
