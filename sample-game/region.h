#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "base/error.h"

namespace sample_game {

inline constexpr int kChunksPerRegion = 1024;

// A region file in the Anvil layout, and what of it is not yet written. Its header, 8 KiB, is kept
// in memory; chunks are not.
class Region {
 public:
  // Not yet on disk.
  Region(int x, int z) : x_(x), z_(z) {}
  // Reads the file and checks every byte of it: kDataLoss saying what is wrong.
  static manman::Result<Region> read(const std::filesystem::path& file, int x, int z);

  static std::string file_name(int x, int z);
  int x() const { return x_; }
  int z() const { return z_; }
  // The tick of the latest change on disk.
  uint32_t counter() const;
  // Of the header and all chunks on disk.
  uint32_t checksum() const;
  int chunks() const;

  void change(int index, uint32_t tick) { dirty_[index] = tick; }
  bool dirty() const { return !dirty_.empty(); }
  // Writes what has changed, in place: chunks, then the header. A chunk gets at most `sectors`.
  manman::Result<void> save(const std::filesystem::path& file, int sectors);

 private:
  struct Chunk {
    uint32_t first_sector = 0;
    uint32_t sectors = 0;  // 0: there is none
    uint32_t tick = 0;
    uint32_t checksum = 0;  // of its sectors
  };

  std::string header() const;
  manman::Result<void> read_header(const std::string& bytes, uint64_t file_sectors);
  manman::Result<void> check_no_overlap() const;
  void place(Chunk& chunk, uint32_t sectors);

  int x_;
  int z_;
  uint32_t end_sector_ = 2;
  std::array<Chunk, kChunksPerRegion> chunks_{};
  std::map<int, uint32_t> dirty_;  // chunk to tick
};

}  // namespace sample_game
