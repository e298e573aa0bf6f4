#pragma once

#include <memory>
#include <vector>

#include "archive/format.h"
#include "base/stream.h"

namespace manman::archive {

// The CRC-32 of gzip, and the one of two runs joined from theirs.
uint32_t crc32_of(ConstBytes bytes);
uint32_t crc32_join(uint32_t first, uint32_t second, uint64_t second_size);

// Compresses frames, each by itself (ISA-L). One thread at a time.
class FrameDeflater {
 public:
  FrameDeflater();
  ~FrameDeflater();
  // Fills packed with a frame of raw, which is at most kFrameSize long: deflate blocks, none of
  // them final, that end on a byte boundary and refer to nothing before them.
  Result<format::FrameRecord> pack(ConstBytes raw, std::vector<std::byte>& packed);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Decompresses and checks frames (libdeflate). One thread at a time.
class FrameInflater {
 public:
  FrameInflater();
  ~FrameInflater();
  // Checks the hash of packed, which is record.packed_size long, then fills raw, which is
  // record.raw_size long, and checks its CRC; kDataLoss when either is wrong. Packed must have two
  // more bytes of room behind it, which are written to.
  Result<void> unpack(const format::FrameRecord& record, MutableBytes packed_and_room,
                      MutableBytes raw);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Deflate for the small blocks of the index.
Result<std::string> deflate_block(std::string_view raw);
// kDataLoss unless it inflates to exactly raw_size bytes.
Result<std::string> inflate_block(ConstBytes packed, size_t raw_size);

}  // namespace manman::archive
