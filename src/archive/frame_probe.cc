#include <zlib.h>
#include <zstd.h>

#include <algorithm>

#include "archive/bytes.h"
#include "archive/frame_finder.h"
#include "archive/tar_header.h"

namespace manman::archive {
namespace {

using std::string_view_literals::operator""sv;

bool stands_at(ConstBytes bytes, size_t at, std::string_view text) {
  return bytes.size() - at >= text.size() && as_text(bytes.subspan(at, text.size())) == text;
}

class GzipProbe final : public FrameProbe {
 public:
  GzipProbe() { ready_ = inflateInit2(&stream_, -15) == Z_OK; }
  GzipProbe(const GzipProbe&) = delete;
  GzipProbe& operator=(const GzipProbe&) = delete;
  ~GzipProbe() override {
    if (ready_) inflateEnd(&stream_);
  }

  // Block by block, until so many bytes are out and the next block begins on a byte.
  Found look(ConstBytes bytes, MutableBytes raw) override {
    Found found;
    if (!ready_ || inflateReset(&stream_) != Z_OK) return found;
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(bytes.data()));
    stream_.avail_in = static_cast<uInt>(bytes.size());
    stream_.next_out = reinterpret_cast<Bytef*>(raw.data());
    stream_.avail_out = static_cast<uInt>(raw.size());
    // zlib may need a few calls that neither take nor give anything to get from block to block.
    constexpr int kMaxIdle = 8;
    for (int idle = 0; idle < kMaxIdle;) {
      const auto moved_before = stream_.total_in + stream_.total_out;
      const int code = inflate(&stream_, Z_BLOCK);
      const auto unused_bits = static_cast<size_t>(stream_.data_type & 63);
      found.looked_at = stream_.total_in - unused_bits / 8;
      found.raw_size = stream_.total_out;
      if (code == Z_STREAM_END) return last(bytes, found);
      if (code != Z_OK && code != Z_BUF_ERROR) return found;
      const bool between_blocks = (stream_.data_type & 128) != 0;
      if (between_blocks && unused_bits % 8 == 0 && stream_.avail_out == 0) {
        found.packed_size = found.looked_at;
        break;
      }
      if (stream_.avail_in == 0) found.looked_at = bytes.size();
      idle = stream_.total_in + stream_.total_out == moved_before ? idle + 1 : 0;
    }
    if (found.packed_size == 0) return found;
    // An empty stored block (the flush) still belongs to it.
    while (stands_at(bytes, found.packed_size, kFlush)) found.packed_size += kFlush.size();
    found.last = stands_at(bytes, found.packed_size, kEnd);
    return found;
  }

  // Behind a flush; at a stored block of full length, which a stored frame begins with; behind the
  // short one that a stored frame ends with.
  size_t next_place(ConstBytes bytes, size_t from) const override {
    constexpr std::string_view kStored = "\x00\xff\xff\x00\x00"sv;
    constexpr std::string_view kLastStored = "\x00\x10\x00\xef\xff"sv;
    constexpr size_t kLastStoredSize = 16;
    const size_t back = kLastStored.size() + kLastStoredSize;
    for (size_t at = from < back ? 0 : from - back; at < bytes.size(); at++) {
      if (bytes[at] != std::byte{0}) continue;
      size_t place = 0;
      if (stands_at(bytes, at, kFlush.substr(1)))
        place = at + kFlush.size() - 1;
      else if (stands_at(bytes, at, kStored))
        place = at;
      else if (stands_at(bytes, at, kLastStored))
        place = at + back;
      else
        continue;
      if (place >= from) return std::min(place, bytes.size());
    }
    return bytes.size();
  }

 private:
  static constexpr std::string_view kFlush = "\x00\x00\x00\xff\xff"sv;
  static constexpr std::string_view kEnd = "\x03\x00"sv;

  // A frame shorter than the others: the trailer behind it says how long the last one is.
  static Found last(ConstBytes bytes, Found found) {
    if (found.looked_at < kEnd.size() || found.raw_size == 0) return found;
    const size_t end = found.looked_at - kEnd.size();
    if (!stands_at(bytes, end, kEnd) || bytes.size() - found.looked_at < 8) return found;
    ByteReader trailer(bytes.subspan(found.looked_at + 4));
    if (trailer.le<uint32_t>() % format::kFrameSize != found.raw_size % format::kFrameSize)
      return found;
    found.packed_size = end;
    found.last = true;
    return found;
  }

  z_stream stream_{};
  bool ready_ = false;
};

class ZstdProbe final : public FrameProbe {
 public:
  Found look(ConstBytes bytes, MutableBytes raw) override {
    Found found{.looked_at = 16};
    if (!stands_at(bytes, 0, kZstdFrameStart)) return found;
    const size_t packed = ZSTD_findFrameCompressedSize(bytes.data(), bytes.size());
    if (ZSTD_isError(packed) != 0) return found;
    found.looked_at = packed;
    const size_t size = ZSTD_decompress(raw.data(), raw.size(), bytes.data(), packed);
    if (ZSTD_isError(size) != 0) return found;
    found.packed_size = packed;
    found.raw_size = size;
    found.last = size < format::kFrameSize;
    return found;
  }

  size_t next_place(ConstBytes bytes, size_t from) const override {
    const size_t place = as_text(bytes).find(kZstdFrameStart, from);
    return place == std::string_view::npos ? bytes.size() : place;
  }
};

// A plain .tar shows no damage to its contents; frames are where they are.
class PlainProbe final : public FrameProbe {
 public:
  Found look(ConstBytes bytes, MutableBytes raw) override {
    size_t size = std::min(bytes.size(), raw.size());
    const size_t index = index_within(bytes.first(size));
    size = std::min(size, index);
    std::ranges::copy(bytes.first(size), raw.begin());
    return {.packed_size = size, .raw_size = size, .last = index == size, .looked_at = size};
  }
  // Behind this one, at whose second byte the search begins.
  size_t next_place(ConstBytes bytes, size_t from) const override {
    return std::min(bytes.size(), from - 1 + format::kFrameSize);
  }

 private:
  // Behind the end mark.
  static size_t index_within(ConstBytes frame) {
    for (size_t at = format::kStreamEndSize; at < frame.size(); at += kTarBlock)
      if (stands_at(frame, at, "manman-index") &&
          all_zero(frame.subspan(at - format::kStreamEndSize, format::kStreamEndSize)))
        return at;
    return SIZE_MAX;
  }
};

}  // namespace

std::unique_ptr<FrameProbe> make_probe(ArchiveFormat format) {
  switch (format) {
    case ArchiveFormat::kZstd:
      return std::make_unique<ZstdProbe>();
    case ArchiveFormat::kNone:
      return std::make_unique<PlainProbe>();
    case ArchiveFormat::kGzip:
      break;
  }
  return std::make_unique<GzipProbe>();
}

}  // namespace manman::archive
