#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "archive/format.h"
#include "base/stream.h"

namespace manman::archive {

// The bytes of an archive's index: kept when small, else read again when needed.
class IndexBytes {
 public:
  IndexBytes(RandomSource& source, const Container& container, uint64_t begin, uint64_t end)
      : source_(source), container_(container), begin_(begin), end_(end) {}
  // Reads all once; checks the hash of the whole.
  Result<void> load(const Sha256Digest& expected);
  Result<void> read_at(uint64_t offset, MutableBytes buffer) const;
  const Container& container() const { return container_; }
  uint64_t end() const { return end_; }

 private:
  RandomSource& source_;
  const Container& container_;
  uint64_t begin_;
  uint64_t end_;
  std::vector<std::byte> kept_;
};

// Walks the blocks of one kind, one in memory at a time.
class BlockCursor {
 public:
  BlockCursor(std::shared_ptr<const IndexBytes> bytes, format::MemberKind kind, uint64_t begin,
              uint64_t end)
      : bytes_(std::move(bytes)), kind_(kind), offset_(begin), end_(end) {}
  // The bytes from the next record on, false after the last. The caller takes a record off by
  // rest() and then says so with taken().
  Result<bool> next();
  ConstBytes rest() const { return rest_; }
  void taken(ConstBytes rest) {
    rest_ = rest;
    records_left_--;
    seen_++;
  }
  uint64_t seen() const { return seen_; }

 private:
  Result<void> next_block();

  std::shared_ptr<const IndexBytes> bytes_;
  format::MemberKind kind_;
  uint64_t offset_;
  uint64_t end_;
  std::string block_;
  ConstBytes rest_;
  uint32_t records_left_ = 0;
  uint64_t seen_ = 0;
};

struct Frame {
  uint64_t number = 0;
  uint64_t offset = 0;  // of its compressed bytes in the archive
  format::FrameRecord record;
};

// The frames in order; each checked to lie inside the archive.
class FrameCursor {
 public:
  FrameCursor(BlockCursor blocks, const format::Tail& tail, const Container& container)
      : blocks_(std::move(blocks)),
        tail_(tail),
        data_end_(tail.entries_offset - container.data_end_size()),
        offset_(container.header().size()) {}
  Result<std::optional<Frame>> next();

 private:
  BlockCursor blocks_;
  format::Tail tail_;
  uint64_t data_end_;
  uint64_t offset_;
};

// The entries in order; each checked to lie inside the stream, after the one before.
class EntryCursor {
 public:
  EntryCursor(BlockCursor blocks, const format::Tail& tail)
      : blocks_(std::move(blocks)), tail_(tail) {}
  Result<std::optional<format::EntryRecord>> next();

 private:
  BlockCursor blocks_;
  format::Tail tail_;
  uint64_t offset_ = 0;
  uint64_t data_size_ = 0;
};

// The index of an archive. Cursors may be used from one thread each; the source must outlive all.
class Index {
 public:
  // No value: there is none, this is an archive made elsewhere (or one whose end is gone, which
  // the sequential reader tells). kDataLoss: there is one and it is damaged.
  static Result<std::optional<Index>> open(RandomSource& source);

  ArchiveFormat format() const { return format_; }
  const Container& container() const { return bytes_->container(); }
  const format::Tail& tail() const { return tail_; }
  FrameCursor frames() const;
  EntryCursor entries() const;
  // "" when it has none.
  Result<std::string> origin() const;

 private:
  Index(ArchiveFormat format, const format::Tail& tail, std::shared_ptr<const IndexBytes> bytes)
      : format_(format), tail_(tail), bytes_(std::move(bytes)) {}

  ArchiveFormat format_;
  format::Tail tail_;
  std::shared_ptr<const IndexBytes> bytes_;
};

}  // namespace manman::archive
