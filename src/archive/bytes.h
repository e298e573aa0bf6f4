#pragma once

#include <concepts>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "base/stream.h"

// Little-endian numbers and varints (7 bits a byte, low ones first), in and out of bytes.
namespace manman::archive {

inline std::string_view as_text(ConstBytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

template <std::unsigned_integral T>
void put_le(std::string& out, T value) {
  for (size_t i = 0; i < sizeof(T); i++) out += static_cast<char>(value >> (8 * i));
}

inline void put_varint(std::string& out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}

// Signed numbers, small ones either side of zero short.
inline uint64_t zigzag(int64_t value) {
  return (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63);
}
inline int64_t unzigzag(uint64_t value) {
  return static_cast<int64_t>(value >> 1) ^ -static_cast<int64_t>(value & 1);
}

// Takes fields off the front of bytes. After one that wasn't there ok() is false and all further
// ones are zero or empty.
class ByteReader {
 public:
  explicit ByteReader(ConstBytes bytes) : bytes_(bytes) {}

  bool ok() const { return ok_; }
  ConstBytes rest() const { return bytes_; }

  ConstBytes take(uint64_t size) {
    if (!ok_ || size > bytes_.size()) {
      ok_ = false;
      return {};
    }
    const ConstBytes taken = bytes_.first(size);
    bytes_ = bytes_.subspan(size);
    return taken;
  }

  template <std::unsigned_integral T>
  T le() {
    T value = 0;
    const ConstBytes field = take(sizeof(T));
    for (size_t i = 0; i < field.size(); i++)
      value = static_cast<T>(value | (std::to_integer<T>(field[i]) << (8 * i)));
    return value;
  }

  uint64_t varint() {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const ConstBytes field = take(1);
      if (field.empty()) return 0;
      const auto byte = std::to_integer<uint64_t>(field[0]);
      if (shift == 63 && byte > 1) break;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    ok_ = false;
    return 0;
  }

  std::string text() {
    const uint64_t size = varint();
    return std::string(as_text(take(size)));
  }

 private:
  ConstBytes bytes_;
  bool ok_ = true;
};

// Whether all of bytes is zero. Ends at the first one that isn't.
inline bool all_zero(ConstBytes bytes) {
  if (bytes.empty()) return true;
  return bytes[0] == std::byte{0} &&
         std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0;
}

}  // namespace manman::archive
