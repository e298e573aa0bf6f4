#include "fuzz/archive_mutator.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "archive/bytes.h"
#include "archive/frame_codec.h"
#include "archive/index_block.h"
#include "archive/tar_parser.h"
#include "base/file.h"
#include "fuzz/gzip_mutator.h"
#include "fuzz/tar_mutator.h"

namespace manman::archive::fuzz {
namespace {

constexpr size_t kMaxStream = size_t{4} << 20;

// A frame as it lies in the archive, and what the index says of it.
struct FramePart {
  std::string packed;
  format::FrameRecord record;
};

// A member of the index: a block taken apart, or the data of any other.
struct Block {
  bool known = false;
  format::BlockHead head;
  std::string records;
  std::string data;
};

// An archive taken apart, to be put together again with right hashes and offsets.
struct Parts {
  ArchiveFormat format = ArchiveFormat::kGzip;
  std::vector<FramePart> frames;
  std::vector<Block> blocks;
  format::Tail tail;
};

Block take_block(const std::string& data) {
  Block block{.data = data};
  const auto head = format::decode_block(as_bytes(data));
  if (!head) return block;
  const ConstBytes payload = as_bytes(data).subspan(format::kBlockHeadSize);
  const auto records = head->deflated ? inflate_block(payload, head->raw_size)
                                      : Result<std::string>(std::string(as_text(payload)));
  if (!records) return block;
  return {.known = true, .head = *head, .records = *records, .data = data};
}

bool is_frames(const Block& block) {
  return block.known && block.head.kind == format::MemberKind::kFrames;
}

std::optional<Parts> take_apart(const std::string& bytes, ArchiveFormat archive_format) {
  const Container& container = container_of(archive_format);
  const ConstBytes all = as_bytes(bytes);
  const size_t tail_size = format::tail_size(container);
  if (all.size() < tail_size || !format::has_tail(all, container)) return {};
  const auto tail = format::decode_tail(all.last(tail_size), all.size(), container);
  if (!tail) return {};
  Parts parts{.format = archive_format, .tail = *tail};
  const size_t end = all.size() - tail_size;
  for (size_t at = tail->entries_offset; at < end;) {
    const size_t size = container.member_data_size(all.subspan(at, end - at));
    if (size == 0 || end - at < container.member_size(size)) break;
    parts.blocks.push_back(take_block(bytes.substr(at + container.member_head_size(), size)));
    at += container.member_size(size);
  }
  size_t at = container.header().size();
  for (const Block& block : parts.blocks) {
    if (!is_frames(block)) continue;
    ConstBytes rest = as_bytes(block.records);
    for (uint32_t i = 0; i < block.head.records; i++) {
      const auto record = format::decode_frame(rest);
      if (!record || record->packed_size > tail->entries_offset - at) return {};
      parts.frames.push_back({bytes.substr(at, record->packed_size), *record});
      at += record->packed_size;
    }
  }
  return parts;
}

// Nothing of an archive that is not whole in its outlines.
std::optional<Parts> take_apart(const std::string& bytes) {
  for (const ArchiveFormat one : kAllFormats)
    if (auto parts = take_apart(bytes, one)) return parts;
  return {};
}

// The frames' block is made of the frames' records, unless `keep_records` (then it is a lie, or
// what a change of other parts left).
std::string put_together(const Parts& parts, bool keep_records, bool keep_numbers) {
  const Container& container = container_of(parts.format);
  std::string out(as_text(container.header()));
  for (const FramePart& frame : parts.frames) out += frame.packed;
  format::Tail tail = parts.tail;
  out += container.data_end(tail.stream_crc32, tail.stream_size);
  const uint64_t entries_offset = out.size();
  std::string index;
  uint64_t frames_offset = entries_offset;
  bool frames_begun = false;
  for (const Block& block : parts.blocks) {
    if (is_frames(block) && !frames_begun) {
      frames_begun = true;
      frames_offset = entries_offset + index.size();
      if (!keep_records) {
        std::string records;
        for (const FramePart& frame : parts.frames) records += format::encode(frame.record);
        if (records.size() > format::kMaxBlockSize) records.resize(format::kMaxBlockSize);
        const format::BlockHead head{.kind = format::MemberKind::kFrames,
                                     .deflated = false,
                                     .raw_size = static_cast<uint32_t>(records.size()),
                                     .records = static_cast<uint32_t>(parts.frames.size()),
                                     .first_record = 0};
        index += container.member(format::encode_block(head, records));
        continue;
      }
    } else if (is_frames(block) && !keep_records) {
      continue;
    }
    std::string data = block.data;
    if (block.known) {
      format::BlockHead head = block.head;
      head.deflated = false;
      data = format::encode_block(head, block.records);
    }
    if (!data.empty() && data.size() <= kMaxMemberData) index += container.member(data);
  }
  if (!keep_numbers) {
    tail.entries_offset = entries_offset;
    tail.frames_offset = frames_begun ? frames_offset : entries_offset + index.size();
    tail.archive_size = entries_offset + index.size() + format::tail_size(container);
  }
  tail.index_sha256 = Sha256::of(as_bytes(index));
  return out + index + format::encode(tail, container);
}

// What the stream's entries are, up to where it can't be read.
class Lister final : public MemberVisitor {
 public:
  Result<bool> begin(const Member& member) override {
    records += format::encode(format::EntryRecord{.entry = member.entry,
                                                  .sparse = member.sparse,
                                                  .changed = false,
                                                  .header_offset = member.header_offset,
                                                  .data_offset = member.data_offset});
    count++;
    data_size += member.entry.size_bytes;
    return records.size() < format::kMaxBlockSize - 10'000;
  }
  Result<void> data(uint64_t /*offset*/, ConstBytes /*bytes*/) override { return {}; }
  Result<void> end() override { return {}; }

  std::string records;
  uint32_t count = 0;
  uint64_t data_size = 0;
};

std::string unpack_frame(const FramePart& frame, FrameUnpacker& unpacker) {
  std::string room = frame.packed;
  room.resize(frame.packed.size() + FrameUnpacker::kRoom);
  std::string raw(frame.record.raw_size, '\0');
  format::FrameRecord record = frame.record;
  record.packed_size = static_cast<uint32_t>(frame.packed.size());
  record.sha256 = Sha256::of(as_bytes(frame.packed));
  // What is wrong with it comes out as zeros, or with another CRC-32.
  (void)unpacker.unpack(record, std::as_writable_bytes(std::span(room)),
                        std::as_writable_bytes(std::span(raw)));
  return raw;
}

std::string stream_of(const Parts& parts) {
  std::string stream;
  const auto unpacker = make_unpacker(parts.format);
  for (const FramePart& frame : parts.frames) {
    if (stream.size() > kMaxStream) break;
    stream += unpack_frame(frame, *unpacker);
  }
  return stream;
}

// An archive, with an index that is right, of any stream.
Parts parts_of(std::string stream, ArchiveFormat archive_format) {
  stream.resize((stream.size() + kTarBlock - 1) / kTarBlock * kTarBlock);
  if (stream.size() < format::kStreamEndSize) stream.resize(format::kStreamEndSize);
  Parts parts{.format = archive_format, .tail = {}};
  const auto packer = make_packer({.format = archive_format});
  for (size_t at = 0; at < stream.size(); at += format::kFrameSize) {
    const ConstBytes raw =
        as_bytes(stream).subspan(at, std::min<size_t>(format::kFrameSize, stream.size() - at));
    std::vector<std::byte> packed;
    const auto record = packer->pack(raw, packed);
    if (!record) break;
    parts.frames.push_back({std::string(as_text(packed)), *record});
  }
  Lister lister;
  TarParser parser(lister);
  (void)parser.feed(as_bytes(stream));
  parts.blocks = {{.known = true,
                   .head = {.kind = format::MemberKind::kEntries,
                            .deflated = false,
                            .raw_size = static_cast<uint32_t>(lister.records.size()),
                            .records = lister.count,
                            .first_record = 0},
                   .records = lister.records,
                   .data = {}},
                  {.known = true, .head = {.kind = format::MemberKind::kFrames}}};
  if (lister.count == 0) parts.blocks.erase(parts.blocks.begin());
  parts.tail.frame_count = parts.frames.size();
  parts.tail.entry_count = lister.count;
  parts.tail.stream_size = stream.size();
  parts.tail.data_size = lister.data_size;
  parts.tail.stream_crc32 = crc32_of(as_bytes(stream));
  return parts;
}

class Mutation {
 public:
  Mutation(Parts parts, Random& random) : parts_(std::move(parts)), random_(random) {}

  std::string run() {
    switch (random_.below(8)) {
      case 0:
        change_tail();
        break;
      case 1:
        change_blocks();
        break;
      case 2:
      case 3:
        change_record();
        break;
      case 4:
        change_frame();
        break;
      default:
        parts_ = parts_of(mutate_tar(stream_of(parts_), random_, kMaxStream), parts_.format);
    }
    if (random_.one_in(12)) change_tail();
    return put_together(parts_, keep_records_, keep_numbers_);
  }

 private:
  void change_tail() {
    format::Tail& tail = parts_.tail;
    const std::array<uint64_t*, 8> numbers = {
        &tail.archive_size, &tail.entries_offset, &tail.frames_offset, &tail.frame_count,
        &tail.entry_count,  &tail.stream_size,    &tail.data_size,     &tail.hole_size};
    uint64_t& number = *random_.of(numbers);
    constexpr std::array<int64_t, 8> kSteps = {1, -1, 512, -512, 26, -26, 1048576, -1048576};
    if (random_.one_in(2))
      number += static_cast<uint64_t>(random_.of(kSteps));
    else
      number = random_.one_in(2) ? random_.number() : *random_.of(numbers);
    keep_numbers_ = true;
  }

  Block* any_block() {
    return parts_.blocks.empty() ? nullptr : &parts_.blocks[random_.below(parts_.blocks.size())];
  }

  void change_blocks() {
    Block* block = any_block();
    if (block == nullptr) return;
    keep_records_ = true;
    const auto at = parts_.blocks.begin() + (block - parts_.blocks.data());
    switch (random_.below(5)) {
      case 0:
        parts_.blocks.erase(at);
        return;
      case 1:
        parts_.blocks.insert(at, Block(*block));
        return;
      case 2:
        std::swap(*block, *any_block());
        return;
      case 3:
        *block = {.data = mutate_bytes(block->data, block->data.size() + 32)};
        return;
      default:
        parts_.blocks.insert(at, {.data = mutate_bytes("Z of a later version", 64)});
    }
  }

  void change_record() {
    Block* block = any_block();
    if (block == nullptr || !block->known) return;
    keep_records_ = true;
    format::BlockHead& head = block->head;
    if (random_.one_in(4)) {
      const auto number = static_cast<uint32_t>(random_.number());
      if (random_.one_in(3))
        head.raw_size = number;
      else if (random_.one_in(2))
        head.records = number;
      else
        head.first_record = random_.number();
      return;
    }
    if (random_.one_in(2) && head.kind == format::MemberKind::kEntries)
      change_entry(*block);
    else
      block->records = mutate_bytes(block->records, block->records.size() + 16);
    head.raw_size = static_cast<uint32_t>(block->records.size());
  }

  // One entry of the block, decoded, gets another field.
  void change_entry(Block& block) {
    std::string changed;
    ConstBytes rest = as_bytes(block.records);
    const uint64_t chosen = random_.below(std::max(1U, block.head.records));
    for (uint64_t i = 0; !rest.empty(); i++) {
      auto record = format::decode_entry(rest);
      if (!record) break;
      if (i == chosen) change_entry(*record);
      changed += format::encode(*record);
    }
    block.records = std::move(changed);
  }
  void change_entry(format::EntryRecord& record) {
    Entry& entry = record.entry;
    switch (random_.below(7)) {
      case 0:
        entry.path = mutate_bytes(entry.path, entry.path.size() + 8);
        return;
      case 1:
        entry.link_target = mutate_bytes(entry.link_target, entry.link_target.size() + 8);
        return;
      case 2:
        entry.kind = static_cast<EntryKind>(random_.below(5));
        return;
      case 3:
        entry.size_bytes = random_.number();
        return;
      case 4:
        record.sparse = !record.sparse;
        return;
      case 5:
        record.header_offset = random_.number();
        return;
      default:
        record.data_offset = record.header_offset + random_.below(8) * 512;
    }
  }

  void change_frame() {
    if (parts_.frames.empty()) return;
    if (random_.one_in(6)) {
      const FramePart again = parts_.frames[random_.below(parts_.frames.size())];
      return parts_.frames.push_back(again);
    }
    FramePart& frame = parts_.frames[random_.below(parts_.frames.size())];
    if (random_.one_in(3)) {
      frame.record.raw_size = static_cast<uint32_t>(random_.number());
    } else {
      frame.packed = mutate_bytes(frame.packed, frame.packed.size() + 32);
      frame.record.packed_size = static_cast<uint32_t>(frame.packed.size());
    }
    frame.record.sha256 = Sha256::of(as_bytes(frame.packed));
    if (random_.one_in(2) && frame.record.raw_size <= format::kFrameSize)
      frame.record.crc32 = crc32_of(as_bytes(unpack_frame(frame, *make_unpacker(parts_.format))));
  }

  Parts parts_;
  Random& random_;
  bool keep_records_ = false;
  bool keep_numbers_ = false;
};

}  // namespace

std::string mutate_archive(const std::string& bytes, Random& random, size_t max_size) {
  std::string changed;
  auto parts = take_apart(bytes);
  if (random.one_in(12)) {
    changed = mutate_bytes(bytes, std::max(max_size, bytes.size()));
  } else if (parts) {
    changed = Mutation(std::move(*parts), random).run();
  } else if (random.one_in(8)) {
    changed =
        put_together(parts_of(gunzip(bytes, kMaxStream), random.of(kAllFormats)), false, false);
  } else if (bytes.starts_with("\x1f\x8b")) {
    changed = mutate_gzip(bytes, random, max_size);
  } else {
    changed = mutate_tar(bytes, random, max_size);
  }
  if (changed.size() > max_size) changed.resize(max_size);
  return changed;
}

}  // namespace manman::archive::fuzz
