#pragma once

#include <sys/stat.h>

#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "archive/format.h"
#include "archive/frame_codec.h"
#include "archive/ordered_pipeline.h"
#include "base/file.h"

// What the planner of an archive hands to the workers that fill frames.
namespace manman::archive {

inline constexpr std::string_view kShrank = "shrank while it was read; padded with zeros";
inline constexpr std::string_view kGrew =
    "grew while it was read; cut at the size that it had first";
inline constexpr std::string_view kChanged = "changed while it was read";

// An open file to read for an entry, as it was when the reading began.
struct FileToRead {
  UniqueFd fd;
  struct stat info{};
  std::string name;       // for errors
  uint64_t size = 0;      // so many bytes of it are read
  bool may_grow = false;  // and what comes after them may change
};
// What to warn of once it has been read, "" if nothing.
std::string_view trouble_of(const FileToRead& file, const struct stat& now);

// A file while its contents are read, by several workers. The last one to let go of it looks
// whether it changed meanwhile.
class OpenFile {
 public:
  // The options must outlive it.
  OpenFile(FileToRead file, const PackOptions& options)
      : file_(std::move(file)), options_(options) {}

  // Fills buffer from offset; what the file no longer has is zeros.
  Result<void> read_at(uint64_t offset, MutableBytes buffer);
  // Zeros that the reading came upon count as holes.
  void add_zeros(uint64_t size) { zeros_ += size; }

  void hold() { holders_++; }
  Result<void> let_go();

  // Once all have let go: how much of it was zeros, and what to warn of, "" if nothing.
  uint64_t zeros() const { return zeros_; }
  std::string_view trouble() const { return shrank_ ? kShrank : trouble_; }

 private:
  FileToRead file_;
  const PackOptions& options_;
  std::atomic<int> holders_{1};  // the planner's
  std::atomic<uint64_t> zeros_{0};
  std::atomic<bool> shrank_{false};
  std::string_view trouble_;
};

// A part of a frame that a worker fills: from a file, or with zeros.
struct Piece {
  uint32_t at = 0;  // in the frame
  uint32_t size = 0;
  std::shared_ptr<OpenFile> file;  // null: zeros
  uint64_t offset = 0;             // in the file
};

// An entry whose last byte stands in this frame. Its file is done when the frame is.
struct EndingEntry {
  format::EntryRecord record;
  std::shared_ptr<OpenFile> file;
  uint64_t hole_size = 0;
};

struct PackJob {
  // The planner's: literal bytes stand in raw already, pieces are to be filled in.
  std::vector<std::byte> raw;
  uint32_t used = 0;
  bool has_literals = false;
  std::vector<Piece> pieces;
  std::vector<EndingEntry> endings;
  uint64_t data_size = 0;  // contents of files in this frame
  // The worker's.
  format::FrameRecord record;
  std::vector<std::byte> packed;
  bool is_zero_frame = false;  // packed is empty: the bytes are the ZeroFrame's
};

using PackPipeline = OrderedPipeline<PackJob>;

// A whole frame of zeros, compressed once for all.
struct ZeroFrame {
  format::FrameRecord record;
  std::vector<std::byte> packed;
};
Result<ZeroFrame> make_zero_frame(FramePacker& packer);

// Fills in a job's pieces and compresses it.
Result<void> do_pack_job(FramePacker& packer, const ZeroFrame& zero_frame, PackJob& job);

}  // namespace manman::archive
