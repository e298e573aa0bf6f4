#include "sample-game/region.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "base/file.h"
#include "sample-game/chunk.h"
#include "sample-game/gzip.h"

namespace sample_game {
namespace {

using manman::Code;
using manman::fail;
using manman::fail_errno;
using manman::Result;
using manman::UniqueFd;

constexpr size_t kHeaderBytes = 2 * kSectorBytes;

Result<void> write_at(int fd, uint64_t offset, std::string_view bytes, const std::string& name) {
  while (!bytes.empty()) {
    const ssize_t count = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail_errno("write " + name, errno);
    bytes.remove_prefix(static_cast<size_t>(count));
    offset += static_cast<uint64_t>(count);
  }
  return {};
}

Result<std::string> read_part(manman::FileSource& file, uint64_t offset, size_t size) {
  std::string bytes(size, '\0');
  TRY(file.read_at(offset, std::as_writable_bytes(std::span(bytes))));
  return bytes;
}

}  // namespace

std::string Region::file_name(int x, int z) {
  return "r." + std::to_string(x) + "." + std::to_string(z) + ".mca";
}

uint32_t Region::counter() const {
  return std::ranges::max(chunks_, {}, &Chunk::tick).tick;
}

int Region::chunks() const {
  return static_cast<int>(std::ranges::count_if(chunks_, [](const Chunk& c) { return c.sectors; }));
}

uint32_t Region::checksum() const {
  uint32_t sum = crc32_of(header());
  char bytes[4];
  for (const Chunk& chunk : chunks_) {
    store_be32(bytes, chunk.checksum);
    sum = crc32_of({bytes, sizeof bytes}, sum);
  }
  return sum;
}

std::string Region::header() const {
  std::string bytes(kHeaderBytes, '\0');
  for (size_t i = 0; i < chunks_.size(); i++) {
    store_be32(&bytes[4 * i], chunks_[i].first_sector << 8 | chunks_[i].sectors);
    store_be32(&bytes[kSectorBytes + 4 * i], chunks_[i].tick);
  }
  return bytes;
}

Result<void> Region::read_header(const std::string& bytes, uint64_t file_sectors) {
  for (size_t i = 0; i < chunks_.size(); i++) {
    const uint32_t location = load_be32(&bytes[4 * i]);
    Chunk& chunk = chunks_[i];
    chunk.first_sector = location >> 8;
    chunk.sectors = location & 0xff;
    chunk.tick = load_be32(&bytes[kSectorBytes + 4 * i]);
    if (location == 0 && chunk.tick == 0) continue;
    if (chunk.first_sector < 2 || chunk.sectors == 0 || chunk.sectors > kMaxSectors ||
        uint64_t{chunk.first_sector} + chunk.sectors > file_sectors)
      return fail(Code::kDataLoss, "chunk " + std::to_string(i) + " stands outside the file");
    end_sector_ = std::max(end_sector_, chunk.first_sector + chunk.sectors);
  }
  return check_no_overlap();
}

Result<void> Region::check_no_overlap() const {
  std::vector<bool> taken(end_sector_, false);
  for (size_t i = 0; i < chunks_.size(); i++) {
    for (uint32_t sector = 0; sector < chunks_[i].sectors; sector++) {
      if (taken[chunks_[i].first_sector + sector])
        return fail(Code::kDataLoss, "chunk " + std::to_string(i) + " overlaps another");
      taken[chunks_[i].first_sector + sector] = true;
    }
  }
  return {};
}

Result<Region> Region::read(const std::filesystem::path& path, int x, int z) {
  const auto file = TRY(manman::FileSource::open(path));
  if (file->size() < kHeaderBytes || file->size() % kSectorBytes != 0)
    return fail(Code::kDataLoss, "its size " + std::to_string(file->size()) + " can't be right");
  Region region(x, z);
  TRY(region.read_header(TRY(read_part(*file, 0, kHeaderBytes)), file->size() / kSectorBytes));
  for (size_t i = 0; i < region.chunks_.size(); i++) {
    Chunk& chunk = region.chunks_[i];
    if (chunk.sectors == 0) continue;
    const std::string bytes = TRY(read_part(*file, chunk.first_sector * uint64_t{kSectorBytes},
                                            chunk.sectors * kSectorBytes));
    const ChunkState state{x, z, static_cast<int>(i), chunk.tick};
    TRY(manman::in("chunk " + std::to_string(i), check_chunk(state, bytes)));
    chunk.checksum = crc32_of(bytes);
  }
  return region;
}

// Where it was when it still fits there, at the end of the file otherwise.
void Region::place(Chunk& chunk, uint32_t sectors) {
  if (sectors > chunk.sectors) {
    chunk.first_sector = end_sector_;
    end_sector_ += sectors;
    chunk.sectors = sectors;
  }
}

Result<void> Region::save(const std::filesystem::path& path, int sectors) {
  const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
  if (!fd) return fail_errno("open " + path.string(), errno);
  for (const auto& [index, tick] : dirty_) {
    std::string bytes = encode_chunk({x_, z_, index, tick}, sectors);
    Chunk& chunk = chunks_[static_cast<size_t>(index)];
    place(chunk, static_cast<uint32_t>(bytes.size() / kSectorBytes));
    bytes.resize(chunk.sectors * kSectorBytes);
    TRY(write_at(fd.get(), chunk.first_sector * uint64_t{kSectorBytes}, bytes, path.string()));
    chunk.tick = tick;
    chunk.checksum = crc32_of(bytes);
  }
  TRY(write_at(fd.get(), 0, header(), path.string()));
  dirty_.clear();
  return {};
}

}  // namespace sample_game
