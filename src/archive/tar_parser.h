#pragma once

#include <array>
#include <string>
#include <vector>

#include "archive/member.h"
#include "archive/tar_header.h"

namespace manman::archive {

// Parses a tar stream that is fed to it in pieces of any size: v7, ustar, pax, GNU (long names,
// large numbers, sparse files of all four kinds). Strict: what is damaged is kDataLoss, what can't
// be restored (devices, fifos, unknown kinds) is kInvalidArgument, both naming the entry or the
// offset. Needs no more memory than one extended header (1 MiB) and one sparse map (4 MiB).
class TarParser {
 public:
  // `offset` is where in the stream the first byte fed stands.
  explicit TarParser(MemberVisitor& visitor, uint64_t offset = 0)
      : visitor_(visitor), offset_(offset) {}

  Result<void> feed(ConstBytes bytes);
  // Says that the stream is over: kDataLoss unless the end mark was seen.
  Result<void> finish() const;
  // The visitor wanted no more.
  bool stopped() const { return stopped_; }
  // The end mark was seen.
  bool ended() const { return end_seen_; }
  // The path of the member whose contents are being fed; null between members.
  const std::string* at_work() const {
    return state_ == State::kData ? &member_.entry.path : nullptr;
  }
  // Between two members: nothing of one has been fed without its rest.
  bool between_members() const { return state_ == State::kHeader && fill_ == 0 && !extended_; }

 private:
  enum class State { kHeader, kExtension, kSparseBlock, kSparseMap, kData, kEnd };

  Result<void> take_block(ConstBytes block);
  Result<void> take_header(ConstBytes block);
  Result<void> take_zeros();
  Result<void> take_after_end(ConstBytes block);
  Result<void> begin_extension(const RawHeader& header);
  Result<void> take_extension(ConstBytes block);
  Result<void> apply_extension();
  Result<void> begin_member(RawHeader header);
  Result<void> describe(const RawHeader& header);
  Result<void> begin_sparse(RawHeader& header);
  Result<void> take_sparse_map(ConstBytes block);
  Result<void> begin_data();
  Result<size_t> take_data(ConstBytes bytes);
  Result<void> deliver(ConstBytes bytes);
  Result<void> end_member();
  std::unexpected<Error> fail_here(Code code, std::string_view what) const;

  MemberVisitor& visitor_;
  State state_ = State::kHeader;
  uint64_t offset_;  // of the next byte to be fed
  std::array<std::byte, kTarBlock> block_{};
  size_t fill_ = 0;
  bool zero_block_seen_ = false;
  bool end_seen_ = false;
  uint64_t after_end_ = 0;  // bytes behind the end mark
  bool stopped_ = false;

  // Of the extended headers before the next member.
  bool extended_ = false;
  uint64_t first_header_offset_ = 0;
  char extension_type_ = 'x';
  uint64_t extension_left_ = 0;
  std::string extension_;
  Attributes global_;
  Attributes own_;

  // Of the member at work.
  Member member_;
  uint64_t stored_left_ = 0;  // of its contents
  uint64_t padding_left_ = 0;
  std::vector<Extent> extents_;
  size_t extent_ = 0;  // being delivered
  uint64_t extent_done_ = 0;
  std::string map_text_;  // of a sparse map before the contents
  uint64_t map_lines_ = 0;
  bool more_extents_ = false;
};

}  // namespace manman::archive
