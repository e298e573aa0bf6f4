#include "fuzz/gzip_mutator.h"

#include <zlib.h>

#include <algorithm>

#include "archive/bytes.h"
#include "fuzz/check.h"
#include "fuzz/tar_mutator.h"

namespace manman::archive::fuzz {
namespace {

constexpr size_t kMaxStream = 256 << 10;
constexpr size_t kTrailerSize = 8;

uint8_t* as_u8(const std::string& bytes) {
  return reinterpret_cast<uint8_t*>(const_cast<char*>(bytes.data()));
}

// Of the header of a member at `at`, or 0 when there is none.
size_t header_size(const std::string& bytes, size_t at) {
  if (bytes.compare(at, 3, "\x1f\x8b\x08") != 0 || bytes.size() - at < 10) return 0;
  const auto flags = static_cast<uint8_t>(bytes[at + 3]);
  const size_t begin = at;
  at += 10;
  if ((flags & 4) != 0) {
    if (bytes.size() < at + 2) return 0;
    at += 2 + static_cast<uint8_t>(bytes[at]) + 256 * static_cast<uint8_t>(bytes[at + 1]);
  }
  for (const int flag : {8, 16}) {
    if ((flags & flag) == 0) continue;
    at = bytes.find('\0', std::min(at, bytes.size()));
    if (at == std::string::npos) return 0;
    at++;
  }
  if ((flags & 2) != 0) at += 2;
  return at < bytes.size() ? at - begin : 0;
}

struct Inflated {
  std::string bytes;
  size_t packed_size = 0;  // 0: damaged before its end
};

Inflated inflate_at(const std::string& bytes, size_t at, size_t max_size) {
  z_stream stream{};
  CHECK(inflateInit2(&stream, -15) == Z_OK);
  Inflated made;
  made.bytes.resize(max_size);
  stream.next_in = as_u8(bytes) + at;
  stream.avail_in = static_cast<uInt>(bytes.size() - at);
  stream.next_out = as_u8(made.bytes);
  stream.avail_out = static_cast<uInt>(made.bytes.size());
  if (inflate(&stream, Z_FINISH) == Z_STREAM_END) made.packed_size = stream.total_in;
  made.bytes.resize(stream.total_out);
  inflateEnd(&stream);
  return made;
}

// All members that can be told get the CRC-32 and size of what they hold.
std::string fix_trailers(std::string bytes) {
  for (size_t at = 0; at < bytes.size();) {
    const size_t header = header_size(bytes, at);
    if (header == 0) break;
    const Inflated made = inflate_at(bytes, at + header, kMaxStream);
    at += header + made.packed_size;
    if (made.packed_size == 0 || bytes.size() - at < kTrailerSize) break;
    std::string trailer;
    put_le(trailer, static_cast<uint32_t>(
                        crc32(0, as_u8(made.bytes), static_cast<uInt>(made.bytes.size()))));
    put_le(trailer, static_cast<uint32_t>(made.bytes.size()));
    bytes.replace(at, kTrailerSize, trailer);
    at += kTrailerSize;
  }
  return bytes;
}

std::string member(const std::string& bytes, Random& random) {
  z_stream stream{};
  const int level = static_cast<int>(random.below(10));
  CHECK(deflateInit2(&stream, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::array<Bytef, 6> extra = {'m', static_cast<Bytef>(random.one_in(4) ? 'm' : 'x'), 2, 0, 1, 2};
  std::array<Bytef, 4> text = {'n', '/', '.', 0};
  gz_header header{};
  if (random.one_in(2)) {
    header.os = 3;
    header.hcrc = random.one_in(2) ? 1 : 0;
    if (random.one_in(2)) header.name = text.data();
    if (random.one_in(2)) header.comment = text.data();
    if (random.one_in(2)) header.extra = extra.data();
    header.extra_len = extra.size();
    CHECK(deflateSetHeader(&stream, &header) == Z_OK);
  }
  std::string out(deflateBound(&stream, bytes.size()) + 64, '\0');
  stream.next_in = as_u8(bytes);
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = as_u8(out);
  stream.avail_out = static_cast<uInt>(out.size());
  CHECK(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

}  // namespace

std::string gunzip(const std::string& bytes, size_t max_size) {
  std::string stream;
  for (size_t at = 0; at < bytes.size() && stream.size() < max_size;) {
    const size_t header = header_size(bytes, at);
    if (header == 0) break;
    const Inflated made = inflate_at(bytes, at + header, max_size - stream.size());
    stream += made.bytes;
    if (made.packed_size == 0) break;
    at += header + made.packed_size + kTrailerSize;
  }
  return stream;
}

std::string gzip(const std::string& bytes, Random& random) {
  std::string out;
  std::string_view rest = bytes;
  while (random.one_in(3) && !rest.empty()) {
    const size_t size = random.below(rest.size());
    out += member(std::string(rest.substr(0, size)), random);
    rest.remove_prefix(size);
  }
  out += member(std::string(rest), random);
  if (random.one_in(6)) out.append(random.below(600), '\0');
  return out;
}

std::string mutate_gzip(const std::string& bytes, Random& random, size_t max_size) {
  std::string changed;
  if (random.one_in(3)) {
    changed = mutate_bytes(bytes, std::max(max_size, bytes.size()));
    if (!random.one_in(4)) changed = fix_trailers(std::move(changed));
  } else {
    changed = gzip(mutate_tar(gunzip(bytes, kMaxStream), random, kMaxStream), random);
  }
  if (changed.size() > max_size) changed.resize(max_size);
  return changed;
}

}  // namespace manman::archive::fuzz
