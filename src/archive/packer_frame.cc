#include "archive/packer_frame.h"

#include <cerrno>
#include <cstring>

#include "archive/bytes.h"
#include "archive/manners.h"

namespace manman::archive {
namespace {

Result<void> fill(PackJob& job) {
  const MutableBytes raw(job.raw);
  for (Piece& piece : job.pieces) {
    const MutableBytes part = raw.subspan(piece.at, piece.size);
    if (!piece.file) {
      std::memset(part.data(), 0, part.size());
      continue;
    }
    TRY(piece.file->read_at(piece.offset, part));
    // Preallocated space reads as zeros; taken as a hole it needs none when restored, and doesn't
    // look like a bomb.
    if (part.size() >= format::kSparseBlock && all_zero(part)) piece.file->add_zeros(part.size());
    TRY(piece.file->let_go());
    piece.file.reset();
  }
  return {};
}

bool only_zeros(const PackJob& job) {
  if (job.has_literals || job.used != format::kFrameSize) return false;
  for (const Piece& piece : job.pieces)
    if (piece.file) return false;
  return true;
}

}  // namespace

std::string_view trouble_of(const FileToRead& file, const struct stat& now) {
  if (static_cast<uint64_t>(now.st_size) < file.size) return kShrank;
  if (file.may_grow) return {};
  if (now.st_size > file.info.st_size) return kGrew;
  return has_changed(file.info, now) ? kChanged : std::string_view();
}

Result<void> OpenFile::read_at(uint64_t offset, MutableBytes buffer) {
  if (!TRY(read_or_zeros(file_.fd.get(), offset, buffer, file_.name, options_))) shrank_ = true;
  return {};
}

Result<void> OpenFile::let_go() {
  if (--holders_ > 0) return {};
  struct stat now{};
  if (::fstat(file_.fd.get(), &now) != 0) return fail_errno("stat " + file_.name, errno);
  trouble_ = trouble_of(file_, now);
  file_.fd.reset();
  return {};
}

Result<ZeroFrame> make_zero_frame(FramePacker& packer) {
  ZeroFrame frame;
  const std::vector<std::byte> zeros(format::kFrameSize);
  frame.record = TRY(packer.pack(zeros, frame.packed));
  return frame;
}

Result<void> do_pack_job(FramePacker& packer, const ZeroFrame& zero_frame, PackJob& job) {
  job.is_zero_frame = only_zeros(job);
  if (job.is_zero_frame) {
    job.record = zero_frame.record;
    job.packed.clear();
    return {};
  }
  TRY(fill(job));
  job.record = TRY(packer.pack(ConstBytes(job.raw).first(job.used), job.packed));
  return {};
}

}  // namespace manman::archive
