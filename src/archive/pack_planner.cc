#include "archive/pack_planner.h"

#include <algorithm>
#include <cerrno>

#include "archive/extents.h"
#include "archive/manners.h"
#include "archive/tar_writer.h"

namespace manman::archive {
namespace {

// Files up to this size are read while planning: a frame may hold hundreds of them, and their
// descriptors would add up. Nobody looks whether they are zeros.
constexpr uint64_t kSmallFile = format::kMaxUnmarkedZeros;

}  // namespace

std::string PackPlanner::archive_path(const std::string& path) const {
  if (prefix_.empty()) return path.empty() ? "." : path;
  return path.empty() ? prefix_ : prefix_ + "/" + path;
}

Result<void> PackPlanner::run(const std::string& dir) {
  TreeWalker walker([&](Found found) { return add(std::move(found), dir); },
                    [&](const std::string& path, std::string_view why) {
                      warn(archive_path(path), std::string(why) + "; not in the archive");
                    },
                    {.cross_file_systems = options_.cross_file_systems});
  TRY(walker.walk(dir));
  TRY(piece(nullptr, 0, format::kStreamEndSize));
  return flush();
}

Result<void> PackPlanner::add(Found found, const std::string& dir) {
  if (progress_ != nullptr) TRY(progress_->check());
  Entry entry = found.entry_as(archive_path(found.path));
  if (entry.path.size() > format::kMaxPathSize)
    return fail(Code::kInvalidArgument, dir + "/" + found.path.substr(0, 200) +
                                            "…: its path is longer than an archive can hold (" +
                                            std::to_string(format::kMaxPathSize) + " bytes)");
  if (S_ISREG(found.info.st_mode)) return add_file(std::move(found), std::move(entry), dir);
  if (found.is_mount_point())
    warn(entry.path, "is a mount point; only the empty folder is in the archive");
  EndingEntry ending;
  TRY(header(entry, xattrs_of(found.folder, entry.path), ending.record));
  return end_entry(std::move(ending));
}

Xattrs PackPlanner::xattrs_of(int fd, const std::string& path) {
  if (fd < 0) return {};
  return read_xattrs(fd, XattrScope::kCarried, [&](const std::string& why) { warn(path, why); });
}

void PackPlanner::warn(const std::string& path, std::string_view why) {
  warnings_.add(path + " " + std::string(why));
}

Result<void> PackPlanner::add_file(Found found, Entry entry, const std::string& dir) {
  EndingEntry ending;
  if (found.info.st_nlink > 1) {
    HardLinks::Seen seen = TRY(links_.meet(found.info, entry.path));
    if (seen.forgotten)
      warn(entry.path, "has more links than can be followed; other names become copies");
    if (seen.first_path) {
      entry.kind = EntryKind::kHardLink;
      entry.size_bytes = 0;
      entry.link_target = std::move(*seen.first_path);
      TRY(header(entry, {}, ending.record));
      return end_entry(std::move(ending));
    }
  }
  TRY(header(entry, xattrs_of(found.file.get(), entry.path), ending.record));
  const std::string name = dir + "/" + found.path;
  const int fd = found.file.get();
  if (entry.size_bytes <= kSmallFile) {
    TRY(add_small(fd, name, ending, found.info));
    return end_entry(std::move(ending));
  }
  const bool may_have_holes = static_cast<uint64_t>(found.info.st_blocks) * 512 < entry.size_bytes;
  ending.file = std::make_shared<OpenFile>(std::move(found.file), found.info, name, options_);
  TRY(add_contents(ending.file, ending, fd, may_have_holes));
  TRY(ending.file->let_go());
  return end_entry(std::move(ending));
}

Result<void> PackPlanner::add_contents(const std::shared_ptr<OpenFile>& file, EndingEntry& ending,
                                       int fd, bool may_have_holes) {
  const uint64_t size = ending.record.entry.size_bytes;
  for (uint64_t at = 0; at < size;) {
    const Extent data = may_have_holes ? next_data(fd, at, size) : Extent{at, size};
    if (data.begin > at) {
      TRY(piece(nullptr, 0, data.begin - at));
      ending.hole_size += data.begin - at;
    }
    TRY(piece(file, data.begin, data.end - data.begin));
    at = data.end;
  }
  return {};
}

// Reads the file right into the frames.
Result<void> PackPlanner::add_small(int fd, const std::string& name, EndingEntry& ending,
                                    const struct stat& info) {
  const uint64_t size = ending.record.entry.size_bytes;
  bool shrank = false;
  for (uint64_t at = 0; at < size;) {
    const uint32_t count = std::min<uint64_t>(TRY(room()), size - at);
    const MutableBytes into = MutableBytes(job_->raw).subspan(job_->used, count);
    if (!TRY(read_or_zeros(fd, at, into, name, options_))) shrank = true;
    job_->used += count;
    job_->has_literals = true;
    job_->data_size += count;
    at += count;
  }
  struct stat now{};
  if (::fstat(fd, &now) != 0) return fail_errno("stat " + name, errno);
  const std::string& path = ending.record.entry.path;
  const bool grew = now.st_size > info.st_size;
  ending.record.changed = shrank || has_changed(info, now);
  if (shrank || now.st_size < info.st_size)
    warn(path, kShrank);
  else if (grew)
    warn(path, kGrew);
  else if (ending.record.changed)
    warn(path, kChanged);
  return {};
}

// The padding to whole blocks never leaves the frame of the last byte: frames hold whole blocks.
Result<void> PackPlanner::end_entry(EndingEntry ending) {
  const uint64_t padding = (512 - offset() % 512) % 512;
  if (padding > 0) TRY(piece(nullptr, 0, padding));
  job_->endings.push_back(std::move(ending));
  return {};
}

Result<void> PackPlanner::header(const Entry& entry, const Xattrs& xattrs,
                                 format::EntryRecord& record) {
  const std::string bytes = tar_header(entry, xattrs);
  record.entry = entry;
  record.header_offset = offset();
  record.data_offset = record.header_offset + bytes.size();
  return literal(as_bytes(bytes));
}

Result<void> PackPlanner::literal(ConstBytes bytes) {
  while (!bytes.empty()) {
    const size_t count = std::min<size_t>(TRY(room()), bytes.size());
    std::ranges::copy(bytes.first(count), job_->raw.begin() + job_->used);
    job_->used += static_cast<uint32_t>(count);
    job_->has_literals = true;
    bytes = bytes.subspan(count);
  }
  return {};
}

Result<void> PackPlanner::piece(const std::shared_ptr<OpenFile>& file, uint64_t offset,
                                uint64_t size) {
  while (size > 0) {
    const uint32_t count = std::min<uint64_t>(TRY(room()), size);
    if (file) file->hold();
    job_->pieces.push_back({.at = job_->used, .size = count, .file = file, .offset = offset});
    job_->used += count;
    if (file) job_->data_size += count;
    offset += count;
    size -= count;
  }
  return {};
}

// How many bytes the frame at work still takes, a new one when the last is full. A full frame is
// handed over only here, so that an entry that ends with it can still be added to it.
Result<uint32_t> PackPlanner::room() {
  if (job_ && job_->used == format::kFrameSize) TRY(flush());
  if (!job_) {
    if (progress_ != nullptr) TRY(progress_->check());
    job_ = TRY(pipeline_.make());
    job_->raw.resize(format::kFrameSize);
    job_->used = 0;
    job_->has_literals = false;
    job_->pieces.clear();
    job_->endings.clear();
    job_->data_size = 0;
  }
  return format::kFrameSize - job_->used;
}

Result<void> PackPlanner::flush() {
  if (!job_) return {};
  flushed_ += job_->used;
  return pipeline_.push(std::move(job_));
}

}  // namespace manman::archive
