#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "base/stream.h"

namespace manman {

using Sha256Digest = std::array<std::byte, 32>;

// SHA-256 (FIPS 180-4) of a stream; OpenSSL's, which uses the processor's instructions.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;

  void update(ConstBytes bytes);
  // Ends the stream; the object is then only good for destruction.
  Sha256Digest finish();

  static Sha256Digest of(ConstBytes bytes);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// HMAC-SHA-256 (RFC 2104).
Sha256Digest hmac_sha256(ConstBytes key, ConstBytes message);

// Lower-case hexadecimal.
std::string to_hex(ConstBytes bytes);

// The digest that to_hex() wrote so; anything else is kInvalidArgument.
Result<Sha256Digest> sha256_from_hex(std::string_view text);

}  // namespace manman
