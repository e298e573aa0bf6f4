#include "sample-game/gzip.h"

#include <zlib.h>

#include <stdexcept>

namespace sample_game {
namespace {

using manman::Code;
using manman::fail;

// windowBits of zlib: 15 for its own framing, 16 more for gzip's.
int window_bits(Framing framing) {
  return framing == Framing::kGzip ? 15 + 16 : 15;
}

Bytef* input_of(std::string_view data) {
  return reinterpret_cast<Bytef*>(const_cast<char*>(data.data()));
}

}  // namespace

std::string deflate_all(std::string_view data, Framing framing) {
  z_stream stream{};
  if (deflateInit2(&stream, 1, Z_DEFLATED, window_bits(framing), 8, Z_DEFAULT_STRATEGY) != Z_OK)
    throw std::runtime_error("zlib can't be initialized");
  std::string packed(deflateBound(&stream, data.size()), '\0');
  stream.next_in = input_of(data);
  stream.avail_in = static_cast<uInt>(data.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

manman::Result<std::string> inflate_all(std::string_view data, Framing framing, size_t max_bytes) {
  z_stream stream{};
  if (inflateInit2(&stream, window_bits(framing)) != Z_OK)
    throw std::runtime_error("zlib can't be initialized");
  std::string text(max_bytes, '\0');
  stream.next_in = input_of(data);
  stream.avail_in = static_cast<uInt>(data.size());
  stream.next_out = reinterpret_cast<Bytef*>(text.data());
  stream.avail_out = static_cast<uInt>(text.size());
  const int result = inflate(&stream, Z_FINISH);
  text.resize(stream.total_out);
  const bool whole = result == Z_STREAM_END && stream.avail_in == 0;
  inflateEnd(&stream);
  if (!whole) return fail(Code::kDataLoss, "its compressed data is damaged");
  return text;
}

uint32_t crc32_of(std::string_view data, uint32_t before) {
  return static_cast<uint32_t>(::crc32_z(before, input_of(data), data.size()));
}

}  // namespace sample_game
