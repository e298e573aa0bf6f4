#include "archive/index.h"

#include <algorithm>
#include <cstring>

#include "archive/bytes.h"
#include "archive/index_block.h"
#include "base/file.h"

namespace manman::archive {
namespace {

constexpr uint64_t kKeepUpTo = uint64_t{32} << 20;

std::unexpected<Error> damaged(std::string_view what) {
  return fail(Code::kDataLoss, "the archive's index is damaged: " + std::string(what));
}

// The data of the member at offset, which must end by `end`; offset moves behind the member.
Result<std::string> read_member(const IndexBytes& bytes, uint64_t& offset, uint64_t end) {
  const Container& container = bytes.container();
  std::string head(container.member_head_size(), '\0');
  if (end - offset < head.size()) return damaged("a member is cut short");
  TRY(bytes.read_at(offset, std::as_writable_bytes(std::span(head))));
  const size_t size = container.member_data_size(as_bytes(head));
  if (size == 0 || end - offset < container.member_size(size))
    return damaged("a member's header is wrong");
  std::string data(container.member_size(size) - head.size(), '\0');
  TRY(bytes.read_at(offset + head.size(), std::as_writable_bytes(std::span(data))));
  if (data.substr(size) != container.member_end(size)) return damaged("a member's end is wrong");
  offset += head.size() + data.size();
  data.resize(size);
  return data;
}

// The longest tail there is.
size_t longest_tail() {
  size_t longest = 0;
  for (const ArchiveFormat one : kAllFormats)
    longest = std::max(longest, format::tail_size(container_of(one)));
  return longest;
}

}  // namespace

Result<void> IndexBytes::load(const Sha256Digest& expected) {
  Sha256 hash;
  const uint64_t size = end_ - begin_;
  const bool keep = size <= kKeepUpTo;
  std::vector<std::byte> buffer(std::min(size, keep ? kKeepUpTo : uint64_t{1} << 20));
  for (uint64_t offset = begin_; offset < end_;) {
    const MutableBytes part = MutableBytes(buffer).first(std::min(buffer.size(), end_ - offset));
    TRY(source_.read_at(offset, part));
    hash.update(part);
    offset += part.size();
  }
  if (hash.finish() != expected) return damaged("its hash does not match");
  if (keep) kept_ = std::move(buffer);
  return {};
}

Result<void> IndexBytes::read_at(uint64_t offset, MutableBytes buffer) const {
  if (kept_.empty()) return source_.read_at(offset, buffer);
  std::memcpy(buffer.data(), kept_.data() + (offset - begin_), buffer.size());
  return {};
}

Result<void> BlockCursor::next_block() {
  const std::string data = TRY(read_member(*bytes_, offset_, end_));
  const auto kind = static_cast<format::MemberKind>(data[0]);
  using enum format::MemberKind;
  if (kind != kind_) {
    if (kind == kEntries || kind == kFrames || kind == kTail)
      return damaged("a block is misplaced");
    return {};  // of a later version
  }
  const format::BlockHead head = TRY(format::decode_block(as_bytes(data)));
  if (head.first_record != seen_) return damaged("its blocks are out of order");
  block_ = TRY(block_records(head, as_bytes(data).subspan(format::kBlockHeadSize)));
  rest_ = as_bytes(block_);
  records_left_ = head.records;
  return {};
}

Result<bool> BlockCursor::next() {
  while (records_left_ == 0) {
    if (!rest_.empty()) return damaged("a block holds more than its records");
    if (offset_ == end_) return false;
    TRY(next_block());
  }
  return true;
}

Result<std::optional<Frame>> FrameCursor::next() {
  if (!TRY(blocks_.next())) {
    if (blocks_.seen() != tail_.frame_count || offset_ != data_end_)
      return damaged("its frames are not those of the archive");
    return std::nullopt;
  }
  Frame frame{.number = blocks_.seen(), .offset = offset_, .record = {}};
  ConstBytes rest = blocks_.rest();
  frame.record = TRY(format::decode_frame(rest));
  blocks_.taken(rest);
  const uint64_t start = frame.number * format::kFrameSize;
  if (start >= tail_.stream_size || frame.record.packed_size > data_end_ - offset_ ||
      frame.record.raw_size != std::min<uint64_t>(format::kFrameSize, tail_.stream_size - start))
    return damaged("a frame does not fit the archive");
  offset_ += frame.record.packed_size;
  return frame;
}

Result<std::optional<format::EntryRecord>> EntryCursor::next() {
  if (!TRY(blocks_.next())) {
    if (blocks_.seen() != tail_.entry_count || data_size_ != tail_.data_size ||
        offset_ + format::kStreamEndSize != tail_.stream_size)
      return damaged("its entries are not those of the archive");
    return std::nullopt;
  }
  ConstBytes rest = blocks_.rest();
  format::EntryRecord record = TRY(format::decode_entry(rest));
  blocks_.taken(rest);
  const uint64_t size = record.entry.size_bytes;
  if (record.header_offset != offset_ || record.data_offset < record.header_offset + 512 ||
      record.data_offset > tail_.stream_size || size > tail_.stream_size - record.data_offset)
    return damaged("the entry " + record.entry.path + " does not fit the stream");
  offset_ = record.data_offset + (size + 511) / 512 * 512;
  data_size_ += size;
  return record;
}

Result<std::optional<Index>> Index::open(RandomSource& source) {
  const uint64_t size = source.size();
  std::vector<std::byte> end(std::min<uint64_t>(size, longest_tail()));
  if (end.empty()) return std::nullopt;
  TRY(source.read_at(size - end.size(), end));
  for (const ArchiveFormat one : kAllFormats) {
    const Container& container = container_of(one);
    if (!format::has_tail(end, container)) continue;
    const size_t tail_size = format::tail_size(container);
    const auto tail = TRY(format::decode_tail(ConstBytes(end).last(tail_size), size, container));
    auto bytes =
        std::make_shared<IndexBytes>(source, container, tail.entries_offset, size - tail_size);
    TRY(bytes->load(tail.index_sha256));
    return Index(one, tail, std::move(bytes));
  }
  return std::nullopt;
}

FrameCursor Index::frames() const {
  return {BlockCursor(bytes_, format::MemberKind::kFrames, tail_.frames_offset, bytes_->end()),
          tail_, container()};
}

Result<std::string> Index::origin() const {
  for (uint64_t offset = tail_.frames_offset; offset < bytes_->end();) {
    const std::string data = TRY(read_member(*bytes_, offset, bytes_->end()));
    if (static_cast<format::MemberKind>(data[0]) == format::MemberKind::kOrigin)
      return data.substr(1);
  }
  return std::string();
}

EntryCursor Index::entries() const {
  return {
      BlockCursor(bytes_, format::MemberKind::kEntries, tail_.entries_offset, tail_.frames_offset),
      tail_};
}

}  // namespace manman::archive
