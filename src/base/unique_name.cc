#include "base/unique_name.h"

#include <array>
#include <random>
#include <span>

#include "base/sha256.h"

namespace manman {

std::string unique_name() {
  std::random_device random;
  std::array<uint32_t, 4> numbers{};
  for (uint32_t& number : numbers) number = random();
  return to_hex(std::as_bytes(std::span(numbers)));
}

}  // namespace manman
