#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "archive/archive.h"
#include "archive/container.h"
#include "base/error.h"
#include "base/sha256.h"
#include "base/stream.h"

// The bytes of docs/formats/archive.md, version 1: the tail and the index's records. What wraps
// them in each format is in container.h.
namespace manman::archive::format {

inline constexpr uint16_t kVersion = 1;
// Uncompressed bytes of a frame; the last one may hold fewer.
inline constexpr uint32_t kFrameSize = 1U << 20;
// What a frame may take compressed: stored blocks cost 5 bytes in 65,535.
inline constexpr uint32_t kMaxPackedFrame = kFrameSize + 4096;
inline constexpr size_t kMaxPathSize = 4096;
// Zeros that fill such a block of a sparse file are restored as a hole.
inline constexpr size_t kSparseBlock = 4096;
// pack() stores longer runs of zeros that end where a frame or the file does as holes.
inline constexpr size_t kMaxUnmarkedZeros = size_t{64} << 10;
// The two blocks of zeros that end a tar stream.
inline constexpr size_t kStreamEndSize = 1024;

// The first byte of a member's data. Kinds that a reader doesn't know are skipped.
enum class MemberKind : uint8_t { kEntries = 'E', kFrames = 'F', kOrigin = 'O', kTail = 'T' };

// The last member's data, and the place of everything else.
struct Tail {
  uint64_t archive_size = 0;
  uint64_t entries_offset = 0;  // of the first block of entries: where the data ends
  uint64_t frames_offset = 0;   // of the first block of frames
  uint64_t frame_count = 0;
  uint64_t entry_count = 0;
  uint64_t stream_size = 0;  // of the tar stream
  uint64_t data_size = 0;    // of the contents of all files
  uint64_t hole_size = 0;    // of that, in holes
  uint32_t stream_crc32 = 0;
  Sha256Digest index_sha256{};  // of the bytes from entries_offset to the last member
};
inline constexpr size_t kTailDataSize = 152;

// The tail's member, of fixed size in each container.
size_t tail_size(const Container& container);
std::string encode(const Tail& tail, const Container& container);
// Whether the last bytes of an archive, of any number, begin as a tail of the container does where
// it would; only then decode() is asked.
bool has_tail(ConstBytes end, const Container& container);
// Of an archive's last tail_size() bytes. kDataLoss when damaged or when its numbers can't be,
// kUnimplemented for another version.
Result<Tail> decode_tail(ConstBytes bytes, uint64_t archive_size, const Container& container);

// A block of records, at the start of a member's data.
inline constexpr size_t kBlockHeadSize = 50;
inline constexpr size_t kMaxBlockSize = 60000;  // of records, uncompressed
struct BlockHead {
  MemberKind kind = MemberKind::kEntries;
  bool deflated = false;
  uint32_t raw_size = 0;
  uint32_t records = 0;
  uint64_t first_record = 0;  // number of the first one, over all blocks of the kind
};
std::string encode_block(const BlockHead& head, std::string_view payload);
// Checks the block's hash and numbers; the payload is data after kBlockHeadSize.
Result<BlockHead> decode_block(ConstBytes data);

struct FrameRecord {
  uint32_t packed_size = 0;
  uint32_t raw_size = 0;
  uint32_t crc32 = 0;     // of the uncompressed bytes
  Sha256Digest sha256{};  // of the compressed bytes
};

struct EntryRecord {
  Entry entry;
  bool sparse = false;         // has holes: whole 4 KiB blocks of zeros are restored as holes
  bool changed = false;        // changed while it was read
  uint64_t header_offset = 0;  // of its first header in the tar stream
  uint64_t data_offset = 0;    // of its contents
};

std::string encode(const FrameRecord& record);
std::string encode(const EntryRecord& record);
// Take one record off the front of bytes; longer records of later versions are fine.
Result<FrameRecord> decode_frame(ConstBytes& bytes);
Result<EntryRecord> decode_entry(ConstBytes& bytes);

}  // namespace manman::archive::format
