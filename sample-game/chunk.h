#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace sample_game {

inline constexpr size_t kSectorBytes = 4096;
inline constexpr int kMaxSectors = 64;  // of one chunk

// Which state of which chunk; its contents follow from it.
struct ChunkState {
  int region_x = 0;
  int region_z = 0;
  int index = 0;  // in its region, below 1024
  uint32_t tick = 0;
};

// The chunk as it stands in a region file: length, type, zlib data, padding to whole sectors, at
// most `sectors` of them.
std::string encode_chunk(const ChunkState& state, int sectors);

// kDataLoss unless these sectors hold exactly that state of the chunk.
manman::Result<void> check_chunk(const ChunkState& state, std::string_view sectors);

uint32_t load_be32(const char* bytes);
void store_be32(char* bytes, uint32_t value);

}  // namespace sample_game
