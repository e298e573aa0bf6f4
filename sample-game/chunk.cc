#include "sample-game/chunk.h"

#include <algorithm>
#include <random>

#include "sample-game/gzip.h"

namespace sample_game {
namespace {

using manman::Code;
using manman::fail;
using manman::Result;

constexpr size_t kHeaderBytes = 5;  // length and type
constexpr char kZlibType = 2;
// Contents are blocks of which one half compresses to nearly nothing and one not at all.
constexpr std::string_view kPlain =
    "stone stone stone dirt dirt grass air air air air water sand ore ";
constexpr size_t kBlockBytes = 128;
// What a block takes when compressed, with some to spare.
constexpr size_t kPackedBlockBytes = 76;

std::mt19937_64 random_of(const ChunkState& state) {
  std::seed_seq seed{state.region_x, state.region_z, state.index, static_cast<int>(state.tick)};
  return std::mt19937_64(seed);
}

std::string contents(const ChunkState& state, size_t blocks) {
  std::mt19937_64 random = random_of(state);
  std::string text = "chunk " + std::to_string(state.region_x) + " " +
                     std::to_string(state.region_z) + " " + std::to_string(state.index) + " tick " +
                     std::to_string(state.tick) + " blocks " + std::to_string(blocks) + "\n";
  text.reserve(text.size() + blocks * kBlockBytes);
  for (size_t block = 0; block < blocks; block++) {
    for (size_t i = 0; i < kBlockBytes / 2; i += 8) {
      const uint64_t bits = random();
      text.append(reinterpret_cast<const char*>(&bits), 8);
    }
    text += kPlain.substr(0, kBlockBytes / 2);
  }
  return text;
}

}  // namespace

uint32_t load_be32(const char* bytes) {
  const auto at = [&](int i) {
    return static_cast<uint32_t>(static_cast<unsigned char>(bytes[i]));
  };
  return at(0) << 24 | at(1) << 16 | at(2) << 8 | at(3);
}

void store_be32(char* bytes, uint32_t value) {
  for (int i = 0; i < 4; i++) bytes[i] = static_cast<char>(value >> (24 - 8 * i));
}

std::string encode_chunk(const ChunkState& state, int sectors) {
  const size_t room = static_cast<size_t>(sectors) * kSectorBytes - kHeaderBytes - 128;
  const size_t most = std::max<size_t>(room / kPackedBlockBytes, 1);
  // Between three quarters full and full: sizes change with time as a real chunk's do.
  const size_t blocks = most - random_of(state)() % (most / 4 + 1);
  const std::string packed = deflate_all(contents(state, blocks), Framing::kZlib);
  std::string chunk(kHeaderBytes, '\0');
  store_be32(chunk.data(), static_cast<uint32_t>(packed.size() + 1));
  chunk[4] = kZlibType;
  chunk += packed;
  chunk.resize((chunk.size() + kSectorBytes - 1) / kSectorBytes * kSectorBytes);
  return chunk;
}

Result<void> check_chunk(const ChunkState& state, std::string_view sectors) {
  const size_t length = sectors.size() < kHeaderBytes ? 0 : load_be32(sectors.data());
  if (length < 1 || length + 4 > sectors.size() || sectors[4] != kZlibType)
    return fail(Code::kDataLoss, "its header is damaged");
  const std::string text = TRY(
      inflate_all(sectors.substr(kHeaderBytes, length - 1), Framing::kZlib, 2 * sectors.size()));
  const size_t line = std::min(text.find('\n'), text.size());
  if (text != contents(state, (text.size() - line) / kBlockBytes))
    return fail(Code::kDataLoss, "it is not of tick " + std::to_string(state.tick) + ": \"" +
                                     text.substr(0, std::min<size_t>(line, 80)) + "\"");
  return {};
}

}  // namespace sample_game
