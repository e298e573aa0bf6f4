#include "examine/region.h"

#include <fcntl.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>

#include "base/file.h"
#include "examine/file_bytes.h"
#include "examine/nbt.h"

namespace manman::examine {
namespace {

constexpr uint64_t kSector = 4096;
constexpr size_t kHeader = 2 * kSector;
constexpr size_t kChunkHead = 5;
constexpr uint32_t kSide = 32;
constexpr uint32_t kChunks = kSide * kSide;
constexpr uint32_t kMaxSectors = 255;

constexpr uint8_t kGzip = 1;
constexpr uint8_t kZlib = 2;
constexpr uint8_t kNone = 3;
constexpr uint8_t kLz4 = 4;
constexpr uint8_t kCustom = 127;
constexpr uint8_t kExternal = 0x80;

uint32_t big_endian(const std::byte* at) {
  uint32_t value = 0;
  for (int i = 0; i < 4; i++) value = value << 8 | std::to_integer<uint8_t>(at[i]);
  return value;
}

// The region's own coordinates, by its name: r.-1.4.mca.
std::optional<std::pair<int64_t, int64_t>> region_of(std::string_view name) {
  name.remove_prefix(name.rfind('/') + 1);  // npos + 1 is 0
  if (!name.starts_with("r.")) return std::nullopt;
  const char* const end = name.data() + name.size();
  int32_t x = 0;
  int32_t z = 0;
  const auto [dot, bad_x] = std::from_chars(name.data() + 2, end, x);
  if (bad_x != std::errc() || dot == end || *dot != '.') return std::nullopt;
  const auto [tail, bad_z] = std::from_chars(dot + 1, end, z);
  if (bad_z != std::errc() || tail == end || *tail != '.') return std::nullopt;
  return std::pair{int64_t{x}, int64_t{z}};
}

struct Chunk {
  uint32_t x, z;       // in the region
  uint64_t first = 0;  // sector
  uint64_t sectors = 0;
  uint32_t length = 0;  // of its data and the byte that says the kind
  uint8_t kind = 0;

  std::string place() const { return "chunk " + std::to_string(x) + " " + std::to_string(z); }
};

class Region {
 public:
  Region(int fd, const struct stat& info, int folder, Workspace& work, Findings& findings)
      : fd_(fd),
        size_(static_cast<uint64_t>(info.st_size)),
        folder_(folder),
        work_(work),
        findings_(findings) {}

  // Those whose place in the file and length are possible.
  Result<std::vector<Chunk>> read_header();
  // Those of them that share no sector with one before, so that each byte is looked at once.
  std::vector<Chunk> apart(std::vector<Chunk> chunks);
  Result<void> examine(const Chunk& chunk);

 private:
  Result<bool> read_head(Chunk& chunk);
  Result<void> check(const Chunk& chunk);
  Result<void> check_external(const Chunk& chunk);
  Result<void> check_data(ConstBytes data, uint8_t kind);

  const int fd_;
  const uint64_t size_;
  const int folder_;
  Workspace& work_;
  Findings& findings_;
};

Result<std::vector<Chunk>> Region::read_header() {
  std::vector<Chunk> chunks;
  work_.in.resize(kHeader);
  if (TRY(read_bytes(fd_, 0, work_.in, findings_.path())) < kHeader) {
    findings_.problem("header", "the file has " + std::to_string(size_) +
                                    " bytes, its header alone is " + std::to_string(kHeader));
    return chunks;
  }
  for (uint32_t i = 0; i < kChunks; i++) {
    const uint32_t location = big_endian(work_.in.data() + size_t{4} * i);
    if (location == 0) continue;
    Chunk chunk{.x = i % kSide, .z = i / kSide, .first = location >> 8, .sectors = location & 0xff};
    const std::string sector = "its sector " + std::to_string(chunk.first);
    if (chunk.first * kSector < kHeader) {
      findings_.problem(chunk.place(), sector + " lies in the header");
    } else if (chunk.sectors == 0) {
      findings_.problem(chunk.place(), sector + " has a length of 0 sectors");
    } else if (chunk.first * kSector + kChunkHead > size_) {
      findings_.problem(chunk.place(), sector + " lies beyond the end of the file");
    } else if (TRY(read_head(chunk))) {
      chunks.push_back(chunk);
    }
  }
  return chunks;
}

// Its length and kind. False: a problem, and there is no more to be found of it.
Result<bool> Region::read_head(Chunk& chunk) {
  findings_.report().chunks++;
  std::byte head[kChunkHead];
  const size_t got = TRY(read_bytes(fd_, chunk.first * kSector, head, findings_.path()));
  if (got < kChunkHead) {
    findings_.problem(chunk.place(), "the file ends within it");
    return false;
  }
  chunk.length = big_endian(head);
  chunk.kind = std::to_integer<uint8_t>(head[4]);
  const uint64_t takes = (uint64_t{chunk.length} + 4 + kSector - 1) / kSector;
  if (chunk.sectors == kMaxSectors) chunk.sectors = std::max(chunk.sectors, takes);
  if (chunk.length > 0 && takes <= chunk.sectors) return true;
  findings_.problem(chunk.place(), "its length of " + std::to_string(chunk.length) +
                                       " bytes does not fit its " + std::to_string(chunk.sectors) +
                                       " sectors");
  return false;
}

Result<void> Region::examine(const Chunk& chunk) {
  return findings_.take(chunk.place(), check(chunk));
}

Result<void> Region::check(const Chunk& chunk) {
  if ((chunk.kind & kExternal) != 0) return check_external(chunk);
  const uint64_t size = chunk.length - 1;
  if (size > size_ || chunk.first * kSector + kChunkHead > size_ - size)
    return fail(Code::kDataLoss, "the file ends within it");
  if (size > Inflater::kMaxBytes) return fail(Code::kOutOfRange, "is too large to be examined");
  work_.in.resize(size);
  if (TRY(read_bytes(fd_, chunk.first * kSector + kChunkHead, work_.in, findings_.path())) < size)
    return fail(Code::kDataLoss, "the file ends within it");
  return check_data(work_.in, chunk.kind);
}

// Symlinks are not followed: the name is the region's, what it leads to is not.
Result<void> Region::check_external(const Chunk& chunk) {
  const auto region = region_of(findings_.path());
  if (!region)
    return fail(Code::kOutOfRange,
                "stands in a file of its own, whose name can't be told as the "
                "region's is not of the form r.X.Z.mca");
  const std::string name = "c." + std::to_string(region->first * kSide + chunk.x) + "." +
                           std::to_string(region->second * kSide + chunk.z) + ".mcc";
  const UniqueFd file(
      ::openat(folder_, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  struct stat info{};
  if (!file || ::fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode))
    return fail(Code::kDataLoss, "stands in a file of its own, " + name + ", which is not there");
  if (static_cast<uint64_t>(info.st_size) > Inflater::kMaxBytes)
    return fail(Code::kOutOfRange, name + " is too large to be examined");
  work_.in.resize(static_cast<size_t>(info.st_size));
  work_.in.resize(TRY(read_bytes(file.get(), 0, work_.in, name)));
  return in(name, check_data(work_.in, chunk.kind & ~kExternal));
}

Result<void> Region::check_data(ConstBytes data, uint8_t kind) {
  switch (kind) {
    case kGzip:
      return check_nbt(TRY(work_.inflater.inflate(data, Wrapping::kGzip)));
    case kZlib:
      return check_nbt(TRY(work_.inflater.inflate(data, Wrapping::kZlib)));
    case kNone:
      return check_nbt(data);
    case kLz4:
      return fail(Code::kOutOfRange, "is compressed by LZ4, which is not examined");
    case kCustom:
      return fail(Code::kOutOfRange, "has a compression of a mod's own");
    default:
      return fail(Code::kDataLoss, "there is no compression " + std::to_string(kind));
  }
}

std::vector<Chunk> Region::apart(std::vector<Chunk> chunks) {
  std::ranges::sort(chunks, {}, &Chunk::first);
  std::vector<Chunk> kept;
  for (const Chunk& chunk : chunks) {
    if (kept.empty() || chunk.first >= kept.back().first + kept.back().sectors) {
      kept.push_back(chunk);
    } else {
      findings_.problem(chunk.place(), "its sectors are also those of " + kept.back().place());
    }
  }
  return kept;
}

}  // namespace

Result<void> examine_nbt(int fd, const struct stat& info, Workspace& work, Findings& findings) {
  findings.report().nbt_files++;
  if (static_cast<uint64_t>(info.st_size) > Inflater::kMaxBytes) {
    findings.unexamined("", "is too large to be examined");
    return {};
  }
  work.in.resize(static_cast<size_t>(info.st_size));
  work.in.resize(TRY(read_bytes(fd, 0, work.in, findings.path())));
  const auto byte = [&](size_t i) {
    return i < work.in.size() ? std::to_integer<uint8_t>(work.in[i]) : 0;
  };
  const auto check = [&]() -> Result<void> {
    if (byte(0) == 0x1f && byte(1) == 0x8b)
      return check_nbt(TRY(work.inflater.inflate(work.in, Wrapping::kGzip)));
    // RFC 1950: the method is 8, and the two bytes are a multiple of 31. No tag of NBT is 0x78.
    if ((byte(0) & 15) == 8 && byte(0) >= 16 && (byte(0) * 256 + byte(1)) % 31 == 0)
      return check_nbt(TRY(work.inflater.inflate(work.in, Wrapping::kZlib)));
    return check_nbt(work.in);
  };
  return findings.take("", check());
}

Result<void> examine_region(int fd, const struct stat& info, int folder, Workspace& work,
                            const Progress* progress, Findings& findings) {
  findings.report().regions++;
  if (info.st_size == 0) return {};
  Region region(fd, info, folder, work, findings);
  for (const Chunk& chunk : region.apart(TRY(region.read_header()))) {
    if (progress != nullptr) TRY(progress->check());
    TRY(region.examine(chunk));
  }
  return {};
}

}  // namespace manman::examine
