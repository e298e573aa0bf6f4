#include "archive/copy_tree.h"

#include <sys/stat.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "archive/archive.h"
#include "archive/budget.h"
#include "archive/extents.h"
#include "archive/extractor.h"
#include "archive/hard_links.h"
#include "archive/manners.h"
#include "archive/selection.h"
#include "archive/tree_walker.h"
#include "archive/warnings.h"

namespace manman::archive {
namespace {

constexpr size_t kChunkBytes = size_t{1} << 20;

// Entries for the extractor, of what the walker finds.
class TreeCopier {
 public:
  TreeCopier(Extractor& extractor, Warnings& warnings, const CopyOptions& options,
             const PackOptions& reading)
      : extractor_(extractor), warnings_(warnings), options_(options), reading_(reading) {}

  Result<void> copy(Found found);
  uint64_t shared_size() const { return shared_size_; }

 private:
  Result<void> check(const Found& found);
  Result<Member> member_of(const Found& found);
  Result<void> copy_file(Found& found);
  Result<void> copy_contents(const Found& found);

  Extractor& extractor_;
  Warnings& warnings_;
  const CopyOptions& options_;
  const PackOptions& reading_;
  std::optional<dev_t> device_;
  HardLinks links_;
  std::vector<std::byte> buffer_;
  uint64_t shared_size_ = 0;
};

bool is_special(const struct stat& info) {
  return !S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode) && !S_ISLNK(info.st_mode);
}

Result<void> TreeCopier::copy(Found found) {
  if (options_.stop && options_.stop()) return fail(Code::kCancelled, "cancelled");
  TRY(check(found));
  if (options_.entering && S_ISDIR(found.info.st_mode)) options_.entering(found.path, found.info);
  const Member member = TRY(member_of(found));
  if (is_special(found.info)) return extractor_.make_special(member.entry, found.info);
  TRY(extractor_.begin(member));
  if (member.entry.kind == EntryKind::kFile) TRY(copy_file(found));
  return extractor_.end();
}

Result<void> TreeCopier::check(const Found& found) {
  if (!device_) device_ = found.info.st_dev;
  if (found.is_mount_point() || found.info.st_dev != *device_)
    return fail(Code::kFailedPrecondition,
                found.path + " is a mount point, whose data can't be kept");
  if (found.path.empty() || options_.only_shared) return {};
  const auto there = extractor_.standing_at(found.path);
  if (!there || (S_ISDIR(*there) && S_ISDIR(found.info.st_mode))) return {};
  return fail(Code::kFailedPrecondition,
              found.path + " is in the way of what stands below this name in the other folder");
}

Result<Member> TreeCopier::member_of(const Found& found) {
  const struct stat& info = found.info;
  Member member{.entry = found.entry_as(found.path.empty() ? "." : found.path), .xattrs = {}};
  Entry& entry = member.entry;
  if (info.st_nlink > 1 && S_ISREG(info.st_mode)) {
    auto seen = TRY(links_.meet(info, entry.path));
    if (seen.forgotten)
      warnings_.add(entry.path + " has more links than can be followed; other names become copies");
    if (seen.first_path) {
      entry.kind = EntryKind::kHardLink;
      entry.link_target = std::move(*seen.first_path);
      return member;
    }
  }
  member.sparse = static_cast<uint64_t>(info.st_blocks) * 512 < entry.size_bytes;
  const int fd = found.file ? found.file.get() : found.folder ? found.folder->get() : -1;
  if (fd >= 0)
    member.xattrs = read_xattrs(fd, XattrScope::kAll, [&](const std::string& why) {
      warnings_.add(entry.path + " " + why);
    });
  return member;
}

Result<void> TreeCopier::copy_file(Found& found) {
  if (options_.only_shared) {
    shared_size_ += static_cast<uint64_t>(found.info.st_size);
    extractor_.share_at_end(std::move(found.file));
    return {};
  }
  if (extractor_.share(found.file.get()))
    shared_size_ += static_cast<uint64_t>(found.info.st_size);
  else
    TRY(copy_contents(found));
  struct stat now{};
  if (::fstat(found.file.get(), &now) != 0) return fail_errno("stat " + found.path, errno);
  if (has_changed(found.info, now)) warnings_.add(found.path + " changed while it was copied");
  return {};
}

Result<void> TreeCopier::copy_contents(const Found& found) {
  const int fd = found.file.get();
  const auto size = static_cast<uint64_t>(found.info.st_size);
  buffer_.resize(kChunkBytes);
  for (Extent data = next_data(fd, 0, size); data.begin < size;
       data = next_data(fd, data.end, size)) {
    for (uint64_t at = data.begin; at < data.end;) {
      if (reading_.progress != nullptr) TRY(reading_.progress->check());
      const auto chunk =
          MutableBytes(buffer_).first(std::min<uint64_t>(kChunkBytes, data.end - at));
      if (!TRY(read_or_zeros(fd, at, chunk, found.path, reading_)))
        return fail(Code::kAborted, found.path + " became shorter while it was copied");
      TRY(extractor_.data(at, chunk));
      at += chunk.size();
    }
  }
  return {};
}

}  // namespace

Result<CopyResult> copy_tree(const std::filesystem::path& from, const std::filesystem::path& to,
                             const CopyOptions& options) {
  UnpackOptions writing;
  writing.keep_special_bits = true;
  writing.threads = options.threads;
  writing.progress = options.progress;
  PackOptions reading;
  reading.progress = options.progress;
  Selection everything;
  Warnings warnings;
  // No ratio limits what is no archive.
  Budget budget(TRY(Budget::limits(to.string(), writing, true)), UINT64_MAX);
  Extractor extractor = TRY(Extractor::create(to.string(), writing, everything, budget, warnings));
  TreeCopier copier(extractor, warnings, options, reading);
  uint64_t vanished = 0;
  TreeWalker walker([&](Found found) { return copier.copy(std::move(found)); },
                    [&](const std::string& path, std::string_view why, bool changed) {
                      warnings.add(path + " " + std::string(why));
                      if (changed) vanished++;
                    },
                    {.special_files = true, .leave_out = options.leave_out});
  TRY(walker.walk(from.string()));
  TRY(extractor.finish());
  CopyResult result{.entries = extractor.entries(),
                    .data_size_bytes = extractor.data_size(),
                    .shared_size_bytes = copier.shared_size(),
                    .warnings = {},
                    .vanished_count = vanished};
  warnings.move_to(result);
  return result;
}

}  // namespace manman::archive
