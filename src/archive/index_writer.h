#pragma once

#include <string>
#include <string_view>

#include "archive/format.h"
#include "archive/spool.h"
#include "base/stream.h"

namespace manman::archive {

// Gathers the records of one kind into blocks, compressed as they fill. Memory stays bounded.
class BlockWriter {
 public:
  BlockWriter(const Container& container, format::MemberKind kind)
      : container_(container), kind_(kind) {}
  Result<void> add(const std::string& record);
  // Closes the last block; then members() is all of them.
  Result<void> finish();
  const Spool& members() const { return members_; }
  uint64_t count() const { return first_ + records_; }

 private:
  Result<void> flush();

  const Container& container_;
  format::MemberKind kind_;
  std::string block_;
  uint32_t records_ = 0;  // in block_
  uint64_t first_ = 0;
  Spool members_;
};

// Gathers an archive's index while its frames are written.
class IndexWriter {
 public:
  explicit IndexWriter(const Container& container) : container_(container) {}
  Result<void> add(const format::FrameRecord& frame) { return frames_.add(format::encode(frame)); }
  Result<void> add(const format::EntryRecord& entry) { return entries_.add(format::encode(entry)); }
  // Writes the index and the tail. `tail` has stream_size, data_size, hole_size and stream_crc32
  // set, and entries_offset: how much of the archive stands before the index. origin may be empty,
  // and has at most kMaxOriginBytes.
  Result<void> finish(format::Tail tail, std::string_view origin, Sink& out);

 private:
  const Container& container_;
  BlockWriter frames_{container_, format::MemberKind::kFrames};
  BlockWriter entries_{container_, format::MemberKind::kEntries};
};

}  // namespace manman::archive
