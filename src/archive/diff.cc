#include "archive/diff.h"

#include <algorithm>
#include <array>
#include <compare>
#include <deque>
#include <optional>
#include <string>

#include "archive/frame_reader.h"
#include "archive/index.h"

namespace manman::archive {
namespace {

using format::EntryRecord;
using format::FrameRecord;

constexpr std::array<std::string_view, 5> kNames = {"added", "removed", "type", "modified",
                                                    "metadata"};

// The order of a walk through sorted folders: that of the bytes, with '/' before all others.
std::strong_ordering path_order(std::string_view a, std::string_view b) {
  const auto [in_a, in_b] = std::ranges::mismatch(a, b);
  if (in_a == a.end() || in_b == b.end()) return a.size() <=> b.size();
  const auto rank = [](char c) { return c == '/' ? 0 : static_cast<unsigned char>(c); };
  return rank(*in_a) <=> rank(*in_b);
}

// One of the two archives: its entries in order, and the frames behind them.
class Side {
 public:
  explicit Side(const Index& index) : entries_(index.entries()), frames_(index.frames()) {}

  const std::optional<EntryRecord>& entry() const { return entry_; }
  Result<void> advance() {
    auto next = TRY(entries_.next());
    if (entry_ && next && path_order(entry_->entry.path, next->entry.path) >= 0)
      return fail(Code::kUnimplemented, "the archive's names are not in order at " +
                                            next->entry.path + ", so it can't be compared");
    entry_ = std::move(next);
    return {};
  }

  // The frames that hold the contents of the present entry, not empty, in order.
  Result<const std::deque<FrameRecord>*> frames() {
    const uint64_t begin = entry_->data_offset / format::kFrameSize;
    const uint64_t end = (entry_->data_offset + entry_->entry.size_bytes - 1) / format::kFrameSize;
    while (first_ < begin && !window_.empty()) {
      window_.pop_front();
      first_++;
    }
    while (window_.empty() || first_ + window_.size() <= end) {
      const auto frame = TRY(frames_.next());
      if (!frame)
        return fail(Code::kDataLoss, "the archive's index is damaged: frames are missing");
      if (frame->number < begin) continue;
      if (window_.empty()) first_ = frame->number;
      window_.push_back(frame->record);
    }
    window_size_ = end - first_ + 1;
    return &window_;
  }
  // How many of them are this entry's; what follows belongs to none yet.
  size_t frame_count() const { return window_size_; }

 private:
  EntryCursor entries_;
  FrameCursor frames_;
  std::optional<EntryRecord> entry_;
  std::deque<FrameRecord> window_;
  uint64_t first_ = 0;  // number of the window's first frame
  size_t window_size_ = 0;
};

enum class Contents { kSame, kDifferent, kUnknown };

// Files of one size, by the hashes of their frames. These say something only where both files stand
// at the same place of a frame.
Result<Contents> by_frames(Side& before, Side& after) {
  const uint64_t place = before.entry()->data_offset % format::kFrameSize;
  const uint64_t size = before.entry()->entry.size_bytes;
  if (after.entry()->data_offset % format::kFrameSize != place) return Contents::kUnknown;
  const auto& a = *TRY(before.frames());
  const auto& b = *TRY(after.frames());
  bool all_same = true;
  for (size_t i = 0; i < before.frame_count(); i++) {
    if (a[i].sha256 == b[i].sha256) continue;
    all_same = false;
    // The compressed bytes may differ by the level alone; the CRC is that of the contents.
    const bool inside = (i > 0 || place == 0) && (i + 1) * format::kFrameSize <= place + size;
    if (inside && a[i].crc32 != b[i].crc32) return Contents::kDifferent;
  }
  return all_same ? Contents::kSame : Contents::kUnknown;
}

bool same_time(const Entry& a, const Entry& b) {
  return a.mtime_s == b.mtime_s && a.mtime_ns == b.mtime_ns;
}

bool same_metadata(const Entry& a, const Entry& b) {
  return a.mode == b.mode && a.uid == b.uid && a.gid == b.gid && same_time(a, b);
}

Result<bool> same_contents(Side& before, Side& after) {
  const Entry& a = before.entry()->entry;
  const Entry& b = after.entry()->entry;
  if (a.size_bytes != b.size_bytes || a.link_target != b.link_target) return false;
  if (a.kind != EntryKind::kFile || a.size_bytes == 0) return true;
  const Contents contents = TRY(by_frames(before, after));
  return contents == Contents::kSame || (contents == Contents::kUnknown && same_time(a, b));
}

// How the present entries of one path differ; nothing when they don't.
Result<std::optional<Change>> compare(Side& before, Side& after) {
  if (before.entry()->entry.kind != after.entry()->entry.kind) return Change::kType;
  if (!TRY(same_contents(before, after))) return Change::kModified;
  if (!same_metadata(before.entry()->entry, after.entry()->entry)) return Change::kMetadata;
  return std::nullopt;
}

Result<Index> index_of(RandomSource& archive, std::string_view which) {
  auto index = TRY(in(which, Index::open(archive)));
  if (!index)
    return fail(Code::kFailedPrecondition,
                std::string(which) + " has no index: another program made it");
  return *std::move(index);
}

}  // namespace

std::string_view to_text(Change change) {
  return kNames[static_cast<size_t>(change)];
}

Result<void> diff(RandomSource& before, RandomSource& after,
                  const std::function<bool(const Difference&)>& visit) {
  const Index index_before = TRY(index_of(before, "the first archive"));
  const Index index_after = TRY(index_of(after, "the second archive"));
  Side a(index_before);
  Side b(index_after);
  TRY(a.advance());
  TRY(b.advance());
  while (a.entry() || b.entry()) {
    const Entry* const old_entry = a.entry() ? &a.entry()->entry : nullptr;
    const Entry* const new_entry = b.entry() ? &b.entry()->entry : nullptr;
    const auto order = old_entry == nullptr   ? std::strong_ordering::greater
                       : new_entry == nullptr ? std::strong_ordering::less
                                              : path_order(old_entry->path, new_entry->path);
    if (order < 0) {
      if (!visit({Change::kRemoved, old_entry, nullptr})) return {};
    } else if (order > 0) {
      if (!visit({Change::kAdded, nullptr, new_entry})) return {};
    } else if (const auto change = TRY(compare(a, b))) {
      if (!visit({*change, old_entry, new_entry})) return {};
    }
    if (order <= 0) TRY(a.advance());
    if (order >= 0) TRY(b.advance());
  }
  return {};
}

}  // namespace manman::archive
