#include "archive/tar_parser.h"

#include <algorithm>

#include "archive/bytes.h"
#include "archive/format.h"
#include "archive/path.h"

namespace manman::archive {
namespace {

constexpr uint64_t kMaxExtension = uint64_t{1} << 20;
// tar fills up its last record, of 10 KiB unless told otherwise, with zeros.
constexpr uint64_t kMaxAfterEnd = uint64_t{64} << 20;

uint64_t padding(uint64_t size) {
  return (kTarBlock - size % kTarBlock) % kTarBlock;
}

std::string_view kind_name(char type) {
  switch (type) {
    case '3':
      return "a character device";
    case '4':
      return "a block device";
    case '6':
      return "a fifo";
    case 'M':
      return "the continuation of another volume";
    default:
      return "an entry of an unknown kind";
  }
}

}  // namespace

std::unexpected<Error> TarParser::fail_here(Code code, std::string_view what) const {
  return fail(code, "tar stream at byte " + std::to_string(first_header_offset_) + ": " +
                        std::string(what));
}

Result<void> TarParser::feed(ConstBytes bytes) {
  while (!bytes.empty() && !stopped_) {
    if (state_ == State::kData) {
      const size_t used = TRY(take_data(bytes));
      offset_ += used;
      bytes = bytes.subspan(used);
      continue;
    }
    const size_t count = std::min(bytes.size(), kTarBlock - fill_);
    std::ranges::copy(bytes.first(count), block_.begin() + static_cast<ptrdiff_t>(fill_));
    fill_ += count;
    offset_ += count;
    bytes = bytes.subspan(count);
    if (fill_ < kTarBlock) return {};
    fill_ = 0;
    TRY(take_block(block_));
  }
  return {};
}

Result<void> TarParser::finish() const {
  if (stopped_ || (end_seen_ && fill_ == 0)) return {};
  // One block of zeros at the very end is what some old programs write.
  if (zero_block_seen_ && state_ == State::kHeader && fill_ == 0) return {};
  if (state_ == State::kData || state_ == State::kSparseBlock || state_ == State::kSparseMap)
    return fail(Code::kDataLoss,
                "the tar stream is cut short in the middle of " + member_.entry.path);
  return fail(Code::kDataLoss, "the tar stream is cut short: it has no end mark");
}

Result<void> TarParser::take_block(ConstBytes block) {
  switch (state_) {
    case State::kHeader:
      return take_header(block);
    case State::kExtension:
      return take_extension(block);
    case State::kSparseMap:
      return take_sparse_map(block);
    case State::kSparseBlock: {
      more_extents_ = TRY(in(member_.entry.path, parse_sparse_block(block, extents_)));
      return more_extents_ ? Result<void>() : begin_data();
    }
    case State::kEnd:
      return take_after_end(block);
    case State::kData:
      break;
  }
  return {};
}

Result<void> TarParser::take_zeros() {
  if (extended_) return fail_here(Code::kDataLoss, "an extended header without an entry");
  if (zero_block_seen_) {
    end_seen_ = true;
    state_ = State::kEnd;
  }
  zero_block_seen_ = true;
  return {};
}

Result<void> TarParser::take_header(ConstBytes block) {
  if (!extended_) first_header_offset_ = offset_ - kTarBlock;
  if (all_zero(block)) return take_zeros();
  if (zero_block_seen_) return fail_here(Code::kDataLoss, "entries after a block of zeros");
  auto parsed = parse_header(block);
  if (!parsed) return fail_here(parsed.error().code, parsed.error().message);
  switch (parsed->type) {
    case 'x':
    case 'X':
    case 'g':
    case 'L':
    case 'K':
      return begin_extension(*parsed);
    case 'V':
      return {};  // GNU's volume label: no entry
    default:
      return begin_member(std::move(*parsed));
  }
}

// What follows the end mark is padding that readers skip. But entries there would be lost in
// silence: two archives joined.
Result<void> TarParser::take_after_end(ConstBytes block) {
  after_end_ += block.size();
  if (after_end_ > kMaxAfterEnd)
    return fail(Code::kInvalidArgument, "refused: more than " + std::to_string(kMaxAfterEnd) +
                                            " bytes follow the tar stream's end mark");
  if (all_zero(block) || !has_good_checksum(block)) return {};
  return fail(Code::kDataLoss, "more entries follow the tar stream's end mark");
}

Result<void> TarParser::begin_extension(const RawHeader& header) {
  if (header.size_bytes == 0 && header.type != 'L' && header.type != 'K') return {};
  if (header.size_bytes == 0 || header.size_bytes > kMaxExtension)
    return fail_here(Code::kDataLoss,
                     "an extended header of " + std::to_string(header.size_bytes) + " bytes");
  // A global header belongs to no entry.
  extended_ = extended_ || header.type != 'g';
  extension_type_ = header.type;
  extension_left_ = header.size_bytes;
  extension_.clear();
  state_ = State::kExtension;
  return {};
}

Result<void> TarParser::take_extension(ConstBytes block) {
  const size_t count = std::min<uint64_t>(extension_left_, block.size());
  extension_ += as_text(block.first(count));
  extension_left_ -= count;
  if (extension_left_ > 0) return {};
  state_ = State::kHeader;
  if (auto applied = apply_extension(); !applied)
    return fail_here(applied.error().code, applied.error().message);
  return {};
}

Result<void> TarParser::apply_extension() {
  const ConstBytes bytes = std::as_bytes(std::span(extension_));
  if (extension_type_ == 'g') return parse_pax(bytes, global_);
  if (extension_type_ == 'x' || extension_type_ == 'X') return parse_pax(bytes, own_);
  // GNU long names end with a NUL, which counts.
  std::string name = extension_.substr(0, extension_.find('\0'));
  if (name.empty()) return fail(Code::kDataLoss, "an empty long name");
  (extension_type_ == 'L' ? own_.path : own_.link_target) = std::move(name);
  return {};
}

// Name, kind, owner and times, from the header and what the extended headers say over it.
Result<void> TarParser::describe(const RawHeader& header) {
  const auto pick = [&](auto field) { return own_.*field ? own_.*field : global_.*field; };
  Entry& entry = member_.entry;
  std::string path = pick(&Attributes::path).value_or(header.path);
  if (own_.sparse && own_.sparse_name) path = *own_.sparse_name;
  entry.path = clean_path(path);
  const std::string shown = entry.path.substr(0, 200);
  if (entry.path.empty()) return fail_here(Code::kDataLoss, "an entry without a name");
  if (path.size() > format::kMaxPathSize + 1 || entry.path.size() > format::kMaxPathSize)
    return fail_here(Code::kInvalidArgument, "the path " + shown + "… is longer than 4096 bytes");
  entry.link_target = pick(&Attributes::link_target).value_or(header.link_target);
  if (entry.link_target.size() > format::kMaxPathSize)
    return fail_here(Code::kInvalidArgument,
                     shown + ": the link's target is longer than 4096 bytes");
  switch (header.type) {
    case '0':
    case '7':
    case 'S':
      entry.kind =
          path.ends_with('/') && header.type == '0' ? EntryKind::kFolder : EntryKind::kFile;
      break;
    case '1':
      entry.kind = EntryKind::kHardLink;
      break;
    case '2':
      entry.kind = EntryKind::kSymlink;
      break;
    case '5':
      entry.kind = EntryKind::kFolder;
      break;
    default:
      return fail_here(Code::kInvalidArgument,
                       shown + " is " + std::string(kind_name(header.type)) + "; refused");
  }
  if (entry.kind == EntryKind::kHardLink) entry.link_target = clean_path(entry.link_target);
  const bool link = entry.kind == EntryKind::kHardLink || entry.kind == EntryKind::kSymlink;
  if (link && entry.link_target.empty())
    return fail_here(Code::kDataLoss, shown + ": a link without a target");
  if (!link) entry.link_target.clear();
  const uint64_t uid = pick(&Attributes::uid).value_or(header.uid);
  const uint64_t gid = pick(&Attributes::gid).value_or(header.gid);
  if (uid >= UINT32_MAX || gid >= UINT32_MAX)
    return fail_here(Code::kDataLoss, shown + ": an owner out of range");
  entry.uid = static_cast<uint32_t>(uid);
  entry.gid = static_cast<uint32_t>(gid);
  entry.mode = header.mode;
  const Attributes& timed = own_.mtime_s ? own_ : global_;
  entry.mtime_s = timed.mtime_s.value_or(header.mtime_s);
  entry.mtime_ns = timed.mtime_s ? timed.mtime_ns : 0;
  if (!link) member_.xattrs = std::move(own_.xattrs);
  return {};
}

Result<void> TarParser::begin_member(RawHeader header) {
  member_ = Member{};
  member_.header_offset = first_header_offset_;
  TRY(describe(header));
  const bool is_file = member_.entry.kind == EntryKind::kFile;
  stored_left_ =
      own_.size_bytes ? *own_.size_bytes : global_.size_bytes.value_or(header.size_bytes);
  // Links and folders have no contents, whatever old programs write there; only in pax a hard link
  // may bring its file's along.
  const bool has_data =
      is_file || (member_.entry.kind == EntryKind::kHardLink && extended_ && header.is_pax_format);
  if (!has_data) stored_left_ = 0;
  if (stored_left_ > kMaxTarSize)
    return fail_here(Code::kDataLoss, member_.entry.path + ": absurd size");
  padding_left_ = padding(stored_left_);
  member_.entry.size_bytes = is_file ? stored_left_ : 0;
  extents_.assign(1, Extent{0, stored_left_});
  if (is_file && (header.type == 'S' || own_.sparse)) return begin_sparse(header);
  return begin_data();
}

Result<void> TarParser::begin_data() {
  if (member_.sparse && !extents_fit(extents_, stored_left_, member_.entry.size_bytes))
    return fail_here(Code::kDataLoss,
                     member_.entry.path + ": its sparse map does not fit its size");
  member_.data_offset = offset_;
  own_ = Attributes{};
  extended_ = false;
  extent_ = 0;
  extent_done_ = 0;
  state_ = State::kData;
  if (!TRY(visitor_.begin(member_))) {
    stopped_ = true;
    return {};
  }
  if (stored_left_ == 0) return end_member();
  return {};
}

Result<size_t> TarParser::take_data(ConstBytes bytes) {
  size_t used = 0;
  if (stored_left_ > 0) {
    used = std::min<uint64_t>(bytes.size(), stored_left_);
    if (member_.entry.kind == EntryKind::kFile) TRY(deliver(bytes.first(used)));
    stored_left_ -= used;
  }
  const size_t skipped = std::min<uint64_t>(bytes.size() - used, padding_left_);
  if (stored_left_ == 0) padding_left_ -= skipped;
  if (stored_left_ == 0 && padding_left_ == 0) TRY(end_member());
  return used + skipped;
}

Result<void> TarParser::deliver(ConstBytes bytes) {
  while (!bytes.empty()) {
    const Extent& extent = extents_[extent_];
    const size_t count = std::min<uint64_t>(bytes.size(), extent.length - extent_done_);
    if (count > 0) TRY(visitor_.data(extent.offset + extent_done_, bytes.first(count)));
    extent_done_ += count;
    bytes = bytes.subspan(count);
    // The map covers what is stored exactly, so there is a next one while bytes are left.
    if (extent_done_ == extent.length && extent_ + 1 < extents_.size()) {
      extent_++;
      extent_done_ = 0;
    }
  }
  return {};
}

Result<void> TarParser::end_member() {
  state_ = State::kHeader;
  return visitor_.end();
}

}  // namespace manman::archive
