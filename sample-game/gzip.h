#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace sample_game {

enum class Framing { kGzip, kZlib };

std::string deflate_all(std::string_view data, Framing framing);
// kDataLoss when it is damaged, cut short, or unpacks to more than max_bytes.
manman::Result<std::string> inflate_all(std::string_view data, Framing framing, size_t max_bytes);

uint32_t crc32_of(std::string_view data, uint32_t before = 0);

}  // namespace sample_game
