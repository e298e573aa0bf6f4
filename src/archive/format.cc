#include "archive/format.h"

#include <algorithm>

#include "archive/bytes.h"
#include "base/file.h"

namespace manman::archive::format {
namespace {

constexpr std::string_view kTailMagic{"Tmanman\x1a", 8};
constexpr size_t kBlockHashedSize = kBlockHeadSize - sizeof(Sha256Digest);

std::unexpected<Error> damaged(std::string_view what) {
  return fail(Code::kDataLoss, "the archive's index is damaged: " + std::string(what));
}

Sha256Digest block_hash(ConstBytes head, ConstBytes payload) {
  Sha256 hash;
  hash.update(head.first(kBlockHashedSize));
  hash.update(payload);
  return hash.finish();
}

bool same(ConstBytes bytes, const Sha256Digest& digest) {
  return std::ranges::equal(bytes, digest);
}

// How much of the tail's member stands before its hash, which is of that.
size_t hashed_size(const Container& container) {
  return container.member_head_size() + kTailDataSize - sizeof(Sha256Digest);
}

// Numbers that no archive can have are refused before anything is allocated or read by them.
Result<void> check_numbers(const Tail& tail, uint64_t archive_size, const Container& container) {
  if (tail.archive_size != archive_size)
    return damaged("it is of an archive of " + std::to_string(tail.archive_size) +
                   " bytes, this one has " + std::to_string(archive_size));
  const uint64_t index_end = archive_size - tail_size(container);
  if (tail.entries_offset < container.header().size() + container.data_end_size() ||
      tail.entries_offset > tail.frames_offset || tail.frames_offset > index_end)
    return damaged("its parts lie outside the archive");
  if (tail.stream_size < 1024 || tail.stream_size % 512 != 0)
    return damaged("impossible size of the tar stream");
  if (tail.stream_size / kFrameSize + (tail.stream_size % kFrameSize != 0) != tail.frame_count)
    return damaged("impossible number of frames");
  if (tail.frame_count > tail.entries_offset) return damaged("more frames than bytes");
  if (tail.entry_count > tail.stream_size / 512) return damaged("impossible number of entries");
  if (tail.data_size > tail.stream_size || tail.hole_size > tail.data_size)
    return damaged("impossible size of the contents");
  return {};
}

}  // namespace

size_t tail_size(const Container& container) {
  return container.member_size(kTailDataSize);
}

std::string encode(const Tail& tail, const Container& container) {
  std::string data(kTailMagic);
  put_le(data, kVersion);
  put_le(data, uint16_t{0});
  put_le(data, kFrameSize);
  for (const uint64_t number :
       {tail.archive_size, tail.entries_offset, tail.frames_offset, tail.frame_count,
        tail.entry_count, tail.stream_size, tail.data_size, tail.hole_size})
    put_le(data, number);
  put_le(data, tail.stream_crc32);
  put_le(data, uint32_t{0});
  data += as_text(tail.index_sha256);
  data.resize(kTailDataSize);
  std::string out = container.member(data);
  const size_t hashed = hashed_size(container);
  const Sha256Digest hash = Sha256::of(as_bytes(out).first(hashed));
  out.replace(hashed, hash.size(), as_text(hash));
  return out;
}

bool has_tail(ConstBytes end, const Container& container) {
  const size_t size = tail_size(container);
  if (end.size() < size) return false;
  const ConstBytes tail = end.last(size);
  return container.member_data_size(tail) == kTailDataSize &&
         as_text(tail).substr(container.member_head_size()).starts_with(kTailMagic);
}

Result<Tail> decode_tail(ConstBytes bytes, uint64_t archive_size, const Container& container) {
  if (!has_tail(bytes, container)) return damaged("no tail");
  const size_t hashed = hashed_size(container);
  ByteReader fields(bytes.subspan(container.member_head_size() + kTailMagic.size()));
  const auto version = fields.le<uint16_t>();
  if (!same(bytes.subspan(hashed, sizeof(Sha256Digest)), Sha256::of(bytes.first(hashed))) ||
      as_text(bytes.subspan(hashed + sizeof(Sha256Digest))) != container.member_end(kTailDataSize))
    return damaged("the tail's hash does not match");
  if (version != kVersion)
    return fail(Code::kUnimplemented,
                "the archive is of format version " + std::to_string(version) +
                    "; this program reads version " + std::to_string(kVersion));
  fields.take(2);
  if (fields.le<uint32_t>() != kFrameSize) return damaged("unknown frame size");
  Tail tail;
  for (uint64_t* number :
       {&tail.archive_size, &tail.entries_offset, &tail.frames_offset, &tail.frame_count,
        &tail.entry_count, &tail.stream_size, &tail.data_size, &tail.hole_size})
    *number = fields.le<uint64_t>();
  tail.stream_crc32 = fields.le<uint32_t>();
  fields.take(4);
  std::ranges::copy(fields.take(sizeof(Sha256Digest)), tail.index_sha256.begin());
  TRY(check_numbers(tail, archive_size, container));
  return tail;
}

std::string encode_block(const BlockHead& head, std::string_view payload) {
  std::string data;
  data.reserve(kBlockHeadSize + payload.size());
  data += static_cast<char>(head.kind);
  data += static_cast<char>(head.deflated ? 1 : 0);
  put_le(data, head.raw_size);
  put_le(data, head.records);
  put_le(data, head.first_record);
  const Sha256Digest hash = block_hash(as_bytes(data), as_bytes(payload));
  data += as_text(hash);
  data += payload;
  return data;
}

Result<BlockHead> decode_block(ConstBytes data) {
  if (data.size() < kBlockHeadSize) return damaged("a block is too short");
  ByteReader fields(data);
  BlockHead head;
  head.kind = static_cast<MemberKind>(fields.le<uint8_t>());
  const auto encoding = fields.le<uint8_t>();
  head.deflated = encoding == 1;
  head.raw_size = fields.le<uint32_t>();
  head.records = fields.le<uint32_t>();
  head.first_record = fields.le<uint64_t>();
  if (!same(fields.take(sizeof(Sha256Digest)), block_hash(data, data.subspan(kBlockHeadSize))))
    return damaged("a block's hash does not match");
  if (encoding > 1) return damaged("a block of unknown encoding");
  if (head.raw_size > kMaxBlockSize || head.records > head.raw_size)
    return damaged("a block of impossible size");
  if (!head.deflated && head.raw_size != data.size() - kBlockHeadSize)
    return damaged("a block's size does not match");
  return head;
}

}  // namespace manman::archive::format
