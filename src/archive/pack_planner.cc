#include "archive/pack_planner.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "archive/extents.h"
#include "archive/manners.h"
#include "archive/tar_writer.h"

namespace manman::archive {
std::string PackPlanner::archive_path(const std::string& path) const {
  if (prefix_.empty()) return path.empty() ? "." : path;
  return path.empty() ? prefix_ : prefix_ + "/" + path;
}

Result<void> PackPlanner::run(const std::string& dir) {
  if (options_.files == nullptr)
    TRY(walk_ahead(dir));
  else
    TRY(walk(dir, LookAtFiles::kOpen, [&](Found found) { return add(std::move(found), dir); }));
  TRY(piece(nullptr, 0, format::kStreamEndSize));
  return flush();
}

Result<void> PackPlanner::walk(const std::string& dir, LookAtFiles files,
                               const TreeWalker::Visit& visit) {
  WalkOptions walking{.cross_file_systems = options_.cross_file_systems, .files = files};
  if (!options_.leave_out.empty())
    walking.leave_out = [&](const std::string& path, const struct stat& info) {
      const bool matched = leave_out_.match(path, S_ISDIR(info.st_mode));
      if (matched) notes_.left_out++;
      return matched;
    };
  return TreeWalker(
             visit,
             [&](const std::string& path, std::string_view why, bool changed) {
               skip(path, why, changed);
             },
             std::move(walking))
      .walk(dir);
}

Result<void> PackPlanner::walk_ahead(const std::string& dir) {
  WalkPipeline ahead(
      walk_readers(options_), kWalkWindow,
      [&](WalkPipeline& into) -> Result<void> {
        if (options_.background) give_way();
        WalkBatcher batcher(into);
        TRY(walk(dir, LookAtFiles::kName,
                 [&](Found found) { return batcher.add(std::move(found)); }));
        return batcher.flush();
      },
      [&] {
        if (options_.background) give_way();
        return [&](WalkBatch& batch) { return read_batch(batch, options_); };
      });
  while (auto batch = TRY(ahead.pop())) {
    for (auto& [found, read] : batch->items) {
      if (progress_ != nullptr) TRY(progress_->check());
      if (read)
        TRY(add_read(found, *read, batch->contents, dir));
      else if (found.parent)
        TRY(add_named(std::move(found), dir));
      else
        TRY(add(std::move(found), dir));
    }
    batch->items.clear();  // and with them the folders that they keep open
    ahead.recycle(std::move(batch));
  }
  return {};
}

Result<Entry> PackPlanner::entry_of(const Found& found, const std::string& dir) const {
  Entry entry = found.entry_as(archive_path(found.path));
  if (entry.path.size() <= format::kMaxPathSize) return entry;
  return fail(Code::kInvalidArgument, dir + "/" + found.path.substr(0, 200) +
                                          "…: its path is longer than an archive can hold (" +
                                          std::to_string(format::kMaxPathSize) + " bytes)");
}

Result<void> PackPlanner::add_named(Found found, const std::string& dir) {
  const std::string_view trouble =
      TRY(open_file(found.parent->get(), found.name(), dir + "/" + found.path, found));
  if (trouble.empty()) return add(std::move(found), dir);
  skip(found.path, trouble, true);
  return {};
}

Result<void> PackPlanner::add_read(const Found& found, const FileRead& read, ConstBytes contents,
                                   const std::string& dir) {
  EndingEntry ending;
  const Entry entry = TRY(entry_of(found, dir));
  TRY(header(entry, read.xattrs, ending.record));
  TRY(literal(contents.subspan(read.begin, entry.size_bytes)));
  job_->data_size += entry.size_bytes;
  const FileToRead file{.info = found.info, .size = entry.size_bytes};
  note_trouble(ending, read.shrank ? kShrank : trouble_of(file, read.after));
  return end_entry(std::move(ending));
}

Result<void> PackPlanner::add(Found found, const std::string& dir) {
  if (progress_ != nullptr) TRY(progress_->check());
  Entry entry = TRY(entry_of(found, dir));
  if (S_ISREG(found.info.st_mode)) return add_file(std::move(found), std::move(entry), dir);
  if (found.is_mount_point())
    warn(entry.path, "is a mount point; only the empty folder is in the archive");
  EndingEntry ending;
  const Xattrs xattrs = found.folder ? xattrs_of(found.folder->get(), entry.path) : Xattrs();
  TRY(header(entry, xattrs, ending.record));
  return end_entry(std::move(ending));
}

Xattrs PackPlanner::xattrs_of(int fd, const std::string& path) {
  return read_xattrs(fd, XattrScope::kCarried, [&](const std::string& why) { warn(path, why); });
}

void PackPlanner::skip(const std::string& path, std::string_view why, bool changed) {
  const std::string how = std::string(why) + "; not in the archive";
  if (changed)
    notes_.add_changed(archive_path(path), how);
  else
    warn(archive_path(path), how);
}

void PackPlanner::note_trouble(EndingEntry& ending, std::string_view trouble) {
  ending.record.changed = !trouble.empty();
  if (ending.record.changed) notes_.add_changed(ending.record.entry.path, trouble);
}

void PackPlanner::warn(const std::string& path, std::string_view why) {
  notes_.warnings.add(path + " " + std::string(why));
}

Result<bool> PackPlanner::add_hard_link(const Found& found, Entry& entry) {
  if (found.info.st_nlink < 2) return false;
  HardLinks::Seen seen = TRY(links_.meet(found.info, entry.path));
  if (seen.forgotten)
    warn(entry.path, "has more links than can be followed; other names become copies");
  if (!seen.first_path) return false;
  entry.kind = EntryKind::kHardLink;
  entry.size_bytes = 0;
  entry.link_target = std::move(*seen.first_path);
  EndingEntry ending;
  TRY(header(entry, {}, ending.record));
  TRY(end_entry(std::move(ending)));
  return true;
}

Result<std::optional<FileTaking>> PackPlanner::choose(const Found& found) {
  if (options_.files == nullptr) return FileTaking{};
  FileTaking taking = TRY(
      options_.files->choose({.path = found.path,
                              .fd = found.file.get(),
                              .info = found.info,
                              .is_known = found.info.st_nlink > 1 && links_.knows(found.info)}));
  if (!taking.leave_out) return taking;
  notes_.left_out++;
  return std::nullopt;
}

Result<FileToRead> PackPlanner::file_to_read(Found& found, FileTaking taking,
                                             const std::string& name) const {
  FileToRead file{.fd = std::move(found.file), .info = found.info, .name = name};
  if (taking.instead) {
    file.fd = std::move(taking.instead);
    file.name = "the copy of " + name;
    if (::fstat(file.fd.get(), &file.info) != 0) return fail_errno("stat " + file.name, errno);
  }
  file.size = static_cast<uint64_t>(file.info.st_size);
  if (!taking.first_bytes) return file;
  if (*taking.first_bytes > file.size) return fail(Code::kAborted, name + " is too short");
  file.size = *taking.first_bytes;
  file.may_grow = true;
  return file;
}

Result<void> PackPlanner::add_file(Found found, Entry entry, const std::string& dir) {
  std::optional<FileTaking> taking = TRY(choose(found));
  if (!taking || TRY(add_hard_link(found, entry))) return {};
  const bool at_once = taking->at_once;
  const Xattrs xattrs = xattrs_of(found.file.get(), entry.path);
  FileToRead file = TRY(file_to_read(found, *std::move(taking), dir + "/" + found.path));
  entry.size_bytes = file.size;
  EndingEntry ending;
  TRY(header(entry, xattrs, ending.record));
  if (entry.size_bytes <= kSmallFile) {
    TRY(add_small(file, ending));
    return end_entry(std::move(ending));
  }
  const int fd = file.fd.get();
  const bool may_have_holes = static_cast<uint64_t>(file.info.st_blocks) * 512 < entry.size_bytes;
  ending.file = std::make_shared<OpenFile>(std::move(file), options_);
  TRY(add_contents(ending.file, ending, fd, may_have_holes));
  if (at_once) TRY(read_to_the_end(ending.file));
  TRY(ending.file->let_go());
  return end_entry(std::move(ending));
}

// What of it stands in frames that were handed over is up to the workers; what is in the frame at
// work, to this thread.
Result<void> PackPlanner::read_to_the_end(const std::shared_ptr<OpenFile>& file) {
  for (const Piece& piece : job_->pieces) {
    if (piece.file != file) continue;
    TRY(file->read_at(piece.offset, MutableBytes(job_->raw).subspan(piece.at, piece.size)));
    TRY(file->let_go());
    job_->has_literals = true;
  }
  std::erase_if(job_->pieces, [&](const Piece& piece) { return piece.file == file; });
  return pipeline_.drain();
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
Result<void> PackPlanner::add_small(const FileToRead& file, EndingEntry& ending) {
  bool shrank = false;
  for (uint64_t at = 0; at < file.size;) {
    const uint32_t count = std::min<uint64_t>(TRY(room()), file.size - at);
    const MutableBytes into = MutableBytes(job_->raw).subspan(job_->used, count);
    if (!TRY(read_or_zeros(file.fd.get(), at, into, file.name, options_))) shrank = true;
    job_->used += count;
    job_->has_literals = true;
    job_->data_size += count;
    at += count;
  }
  struct stat now{};
  if (::fstat(file.fd.get(), &now) != 0) return fail_errno("stat " + file.name, errno);
  note_trouble(ending, shrank ? kShrank : trouble_of(file, now));
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
    std::memcpy(job_->raw.data() + job_->used, bytes.data(), count);
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
