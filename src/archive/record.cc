#include <algorithm>

#include "archive/bytes.h"
#include "archive/format.h"

// The records inside the index's blocks: a length, then fields in a fixed order. A reader skips
// what stands after the fields that it knows.
namespace manman::archive::format {
namespace {

constexpr uint64_t kSparse = 1;
constexpr uint64_t kChanged = 2;

std::unexpected<Error> bad_record(std::string_view what) {
  return fail(Code::kDataLoss,
              "the archive's index is damaged: bad record of " + std::string(what));
}

std::string with_length(const std::string& fields) {
  std::string out;
  put_varint(out, fields.size());
  return out + fields;
}

// The fields of the record at the front of bytes, which is then taken off.
ByteReader take_record(ConstBytes& bytes, bool& ok) {
  ByteReader outer(bytes);
  const ConstBytes fields = outer.take(outer.varint());
  ok = outer.ok();
  bytes = outer.rest();
  return ByteReader(fields);
}

}  // namespace

std::string encode(const FrameRecord& record) {
  std::string out;
  put_varint(out, record.packed_size);
  put_varint(out, record.raw_size);
  put_le(out, record.crc32);
  out += as_text(record.sha256);
  return with_length(out);
}

Result<FrameRecord> decode_frame(ConstBytes& bytes) {
  bool ok = false;
  ByteReader fields = take_record(bytes, ok);
  FrameRecord record;
  const uint64_t packed_size = fields.varint();
  const uint64_t raw_size = fields.varint();
  record.crc32 = fields.le<uint32_t>();
  const ConstBytes hash = fields.take(sizeof(Sha256Digest));
  if (!ok || !fields.ok()) return bad_record("a frame");
  if (packed_size == 0 || packed_size > kMaxPackedFrame || raw_size == 0 || raw_size > kFrameSize)
    return bad_record("a frame: impossible size");
  record.packed_size = static_cast<uint32_t>(packed_size);
  record.raw_size = static_cast<uint32_t>(raw_size);
  std::ranges::copy(hash, record.sha256.begin());
  return record;
}

std::string encode(const EntryRecord& record) {
  const Entry& entry = record.entry;
  std::string out(1, static_cast<char>(entry.kind));
  put_varint(out, (record.sparse ? kSparse : 0) | (record.changed ? kChanged : 0));
  put_varint(out, record.header_offset / 512);
  put_varint(out, (record.data_offset - record.header_offset) / 512);
  put_varint(out, entry.size_bytes);
  put_varint(out, entry.mode);
  put_varint(out, entry.uid);
  put_varint(out, entry.gid);
  put_varint(out, zigzag(entry.mtime_s));
  put_varint(out, entry.mtime_ns);
  put_varint(out, entry.path.size());
  out += entry.path;
  put_varint(out, entry.link_target.size());
  out += entry.link_target;
  return with_length(out);
}

Result<EntryRecord> decode_entry(ConstBytes& bytes) {
  bool ok = false;
  ByteReader fields = take_record(bytes, ok);
  EntryRecord record;
  Entry& entry = record.entry;
  const auto kind = fields.le<uint8_t>();
  const uint64_t flags = fields.varint();
  const uint64_t header_blocks = fields.varint();
  const uint64_t data_blocks = fields.varint();
  entry.size_bytes = fields.varint();
  const uint64_t mode = fields.varint();
  const uint64_t uid = fields.varint();
  const uint64_t gid = fields.varint();
  entry.mtime_s = unzigzag(fields.varint());
  const uint64_t mtime_ns = fields.varint();
  entry.path = fields.text();
  entry.link_target = fields.text();
  if (!ok || !fields.ok()) return bad_record("an entry");
  constexpr uint64_t kMaxBlocks = uint64_t{1} << 54;
  if (kind > static_cast<uint8_t>(EntryKind::kHardLink) || header_blocks > kMaxBlocks ||
      data_blocks > kMaxBlocks || mode > 07777 || uid > UINT32_MAX || gid > UINT32_MAX ||
      mtime_ns > 999'999'999 || entry.size_bytes > INT64_MAX)
    return bad_record("an entry: a number out of range");
  if (entry.path.empty() || entry.path.size() > kMaxPathSize ||
      entry.path.find('\0') != std::string::npos || entry.link_target.size() > kMaxPathSize ||
      entry.link_target.find('\0') != std::string::npos)
    return bad_record("an entry: bad path");
  entry.kind = static_cast<EntryKind>(kind);
  entry.mode = static_cast<uint32_t>(mode);
  entry.uid = static_cast<uint32_t>(uid);
  entry.gid = static_cast<uint32_t>(gid);
  entry.mtime_ns = static_cast<uint32_t>(mtime_ns);
  record.sparse = (flags & kSparse) != 0;
  record.changed = (flags & kChanged) != 0;
  record.header_offset = header_blocks * 512;
  record.data_offset = record.header_offset + data_blocks * 512;
  return record;
}

}  // namespace manman::archive::format
