#include "archive/frame_finder.h"

#include <algorithm>
#include <cstring>

#include "archive/bytes.h"
#include "archive/damage.h"
#include "archive/frame_codec.h"
#include "archive/index_block.h"
#include "archive/tar_header.h"
#include "base/file.h"

namespace manman::archive {
namespace {

// How much of the archive is looked at at once: more than any frame or member takes.
constexpr size_t kWindow = size_t{4} << 20;
constexpr size_t kEnough = format::kMaxPackedFrame + 4096;
// What a disk can't give is passed over in such pieces.
constexpr size_t kPiece = 4096;

uint64_t first_bytes(const Sha256Digest& hash) {
  uint64_t number = 0;
  std::memcpy(&number, hash.data(), sizeof number);
  return number;
}

// What can't be read is zeros.
Result<void> read_what_there_is(RandomSource& source, uint64_t offset, MutableBytes buffer) {
  auto whole = source.read_at(offset, buffer);
  if (whole || !is_damage(whole.error())) return whole;
  for (size_t at = 0; at < buffer.size(); at += kPiece) {
    const MutableBytes piece = buffer.subspan(at, std::min(kPiece, buffer.size() - at));
    const auto read = source.read_at(offset + at, piece);
    if (!read && !is_damage(read.error())) return read;
    if (!read) std::ranges::fill(piece, std::byte{0});
  }
  return {};
}

// The size of the member that stands at the front of bytes, its data to `data`; 0 when none does.
size_t member_at(ConstBytes bytes, const Container& container, ConstBytes& data) {
  const size_t head = container.member_head_size();
  if (bytes.size() < head) return 0;
  const size_t size = container.member_data_size(bytes.first(head));
  if (size == 0 || bytes.size() < container.member_size(size)) return 0;
  data = bytes.subspan(head, size);
  return container.member_size(size);
}

// What all members of a container begin with.
std::string member_start(const Container& container) {
  const std::string small = container.member_head(1);
  const std::string large = container.member_head(kMaxMemberData);
  return small.substr(0,
                      static_cast<size_t>(std::ranges::mismatch(small, large).in1 - small.begin()));
}

}  // namespace

// Of a block of frames, if that is what it is and it is whole.
void FrameHashes::add(ConstBytes data) {
  const auto head = format::decode_block(data);
  if (!head || head->kind != format::MemberKind::kFrames) return;
  const auto records = block_records(*head, data.subspan(format::kBlockHeadSize));
  if (!records) return;
  ConstBytes rest = as_bytes(*records);
  for (uint32_t i = 0; i < head->records; i++) {
    const auto record = format::decode_frame(rest);
    if (!record) return;
    hashes_.push_back(first_bytes(record->sha256));
    packed_size_ += record->packed_size;
  }
}

Result<FrameHashes> FrameHashes::gather(RandomSource& source, const Container& container,
                                        const Progress* progress) {
  constexpr size_t kLongestMember = size_t{128} << 10;
  const std::string start = member_start(container);
  const uint64_t size = source.size();
  FrameHashes gathered;
  std::vector<std::byte> buffer(kWindow);
  uint64_t first_member = size;
  for (uint64_t begin = 0; begin < size;) {
    if (progress != nullptr) TRY(progress->check());
    const auto window = MutableBytes(buffer).first(std::min<uint64_t>(kWindow, size - begin));
    TRY(read_what_there_is(source, begin, window));
    // A member that begins further on may end in the next window.
    const size_t limit =
        begin + window.size() == size ? window.size() : window.size() - kLongestMember;
    size_t at = as_text(window).find(start);
    for (; at < limit; at = as_text(window).find(start, at + 1)) {
      ConstBytes data;
      if (member_at(window.subspan(at), container, data) == 0 || !format::decode_block(data))
        continue;
      first_member = std::min(first_member, begin + at);
      gathered.add(data);
    }
    begin += limit;
  }
  gathered.complete_ =
      !gathered.hashes_.empty() &&
      container.header().size() + gathered.packed_size_ + container.data_end_size() == first_member;
  std::ranges::sort(gathered.hashes_);
  return gathered;
}

bool FrameHashes::contains(const Sha256Digest& hash) const {
  return std::ranges::binary_search(hashes_, first_bytes(hash));
}

FrameFinder::FrameFinder(RandomSource& source, ArchiveFormat format, const FrameHashes& hashes,
                         const Progress* progress)
    : source_(source),
      container_(container_of(format)),
      own_checksums_(format == ArchiveFormat::kZstd),
      hashes_(hashes),
      progress_(progress),
      probe_(make_probe(format)),
      at_(container_.header().size()),
      raw_(format::kFrameSize),
      // What an archive may be made of so as to waste time is not tried for ever.
      effort_left_(source.size() * 16 + (uint64_t{64} << 20)) {}

// Makes the buffer hold what follows `at`, enough for a frame or to the archive's end.
Result<void> FrameFinder::load(uint64_t at) {
  const uint64_t end = begin_ + buffer_.size();
  if (at >= begin_ && at <= end && (at + kEnough <= end || end == source_.size())) return {};
  buffer_.resize(std::min<uint64_t>(kWindow, source_.size() - at));
  begin_ = at;
  return read_what_there_is(source_, at, buffer_);
}

// Whether the data ends here, and the index begins.
bool FrameFinder::at_end() const {
  ConstBytes rest = ConstBytes(buffer_).subspan(at_ - begin_);
  const size_t data_end = container_.data_end_size();
  ConstBytes data;
  return rest.size() >= data_end && member_at(rest.subspan(data_end), container_, data) > 0;
}

Result<bool> FrameFinder::try_here() {
  const ConstBytes rest = ConstBytes(buffer_).subspan(at_ - begin_);
  found_ = probe_->look(rest, raw_);
  const bool known =
      found_.packed_size > 0 && hashes_.contains(Sha256::of(rest.first(found_.packed_size)));
  if (known || (found_.packed_size > 0 && !hashes_.complete())) {
    vouched_ = vouched_ && (known || own_checksums_);
    at_ += found_.packed_size;
    crc_ = crc32_join(crc_, crc32_of(raw()), found_.raw_size);
    stream_size_ += found_.raw_size;
    return true;
  }
  if (found_.packed_size == 0 && found_.raw_size >= kTarBlock && rest.size() < kEnough &&
      found_.looked_at == rest.size()) {
    // Cut off within a frame: what stands before the cut is as it was.
    found_.raw_size -= found_.raw_size % kTarBlock;
    vouched_ = false;
    at_ = source_.size();
    return true;
  }
  found_ = {.looked_at = found_.looked_at};
  if (found_.looked_at >= effort_left_)
    return fail(Code::kDataLoss, "the archive is made so that the end of its damage is not found");
  effort_left_ -= found_.looked_at;
  return false;
}

// Moves on to the next place where a frame may begin; false when there is none.
Result<bool> FrameFinder::move_on() {
  // The last bytes of the buffer may be the first of a mark.
  constexpr size_t kOverlap = 64;
  for (at_++; at_ < source_.size();) {
    TRY(load(at_));
    const size_t place = probe_->next_place(buffer_, at_ - begin_);
    at_ = begin_ + place;
    if (place < buffer_.size()) return true;
    if (at_ < source_.size()) at_ -= kOverlap;
  }
  return false;
}

Result<bool> FrameFinder::next() {
  gap_ = false;
  if (found_.last || at_ > source_.size()) return false;
  for (;;) {
    if (progress_ != nullptr) TRY(progress_->check());
    TRY(load(at_));
    if (!gap_ && at_end()) return false;
    if (at_ < source_.size() && TRY(try_here())) return true;
    first_gap_ = std::min(first_gap_, at_);
    gap_ = true;
    if (at_ >= source_.size() || !TRY(move_on())) return false;
  }
}

Result<bool> FrameFinder::ends_right() {
  const std::string expected = container_.data_end(crc_, stream_size_);
  std::string end(expected.size(), '\0');
  if (source_.size() - at_ < end.size()) return false;
  TRY(read_what_there_is(source_, at_, std::as_writable_bytes(std::span(end))));
  return end == expected;
}

}  // namespace manman::archive
