#pragma once

#include <libdeflate.h>

#include <cstdint>
#include <string>

// What the tests of this folder make their files of.
namespace manman::examine::test {

inline std::string be8(int64_t value) {
  return std::string(1, static_cast<char>(value));
}
inline std::string be16(int64_t value) {
  return be8(value >> 8) + be8(value);
}
inline std::string be32(int64_t value) {
  return be16(value >> 16) + be16(value);
}

// A tag within a compound, up to its value.
inline std::string tag(int type, const std::string& name) {
  return be8(type) + be16(static_cast<int64_t>(name.size())) + name;
}
// A compound without a name that holds these tags.
inline std::string compound(const std::string& tags) {
  return be8(10) + be16(0) + tags + be8(0);
}

inline std::string deflated(const std::string& bytes, bool gzip) {
  libdeflate_compressor* compressor = ::libdeflate_alloc_compressor(6);
  std::string out(bytes.size() + 256, '\0');
  out.resize((gzip ? ::libdeflate_gzip_compress : ::libdeflate_zlib_compress)(
      compressor, bytes.data(), bytes.size(), out.data(), out.size()));
  ::libdeflate_free_compressor(compressor);
  return out;
}

}  // namespace manman::examine::test
