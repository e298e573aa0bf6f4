#include "archive/extractor.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "archive/file_clock.h"
#include "archive/path.h"

namespace manman::archive {
namespace {

// Each entry takes something of the file system, empty ones too.
constexpr uint64_t kEntryCost = 512;

std::unexpected<Error> refuse(const std::string& path, std::string_view why) {
  return fail(Code::kInvalidArgument, "refused " + path + ": " + std::string(why));
}

}  // namespace

Extractor::Extractor(TargetTree tree, const UnpackOptions& options, Selection& selection,
                     Budget& budget, Warnings& warnings, timespec start)
    : tree_(std::move(tree)),
      options_(options),
      selection_(selection),
      budget_(budget),
      start_(start),
      metadata_(options, warnings),
      files_(std::make_unique<WriteBehind>(metadata_, options.threads)) {}

Result<Extractor> Extractor::create(const std::string& target, const UnpackOptions& options,
                                    Selection& selection, Budget& budget, Warnings& warnings) {
  TargetTree tree = TRY(TargetTree::open(target));
  const timespec start = TRY(file_clock_now(tree.root()));
  return Extractor(std::move(tree), options, selection, budget, warnings, start);
}

Result<bool> Extractor::begin(const Member& member) {
  if (options_.progress != nullptr) TRY(options_.progress->check());
  const std::string& path = member.entry.path;
  TRY(check_path(path));
  if (selection_.contains(path)) {
    TRY(extract(member, path));
  } else if (const std::string* stand_in = selection_.stand_in(path);
             stand_in != nullptr && member.entry.kind == EntryKind::kFile) {
    TRY(extract(member, *stand_in));
    stand_ins_made_.insert(*stand_in);
  }
  return true;
}

Result<void> Extractor::extract(const Member& member, const std::string& path) {
  TRY(budget_.take(kEntryCost + member.xattrs.size_bytes()));
  Entry entry = member.entry;
  entry.path = TRY(strip_prefix(path, options_.strip_prefix));
  if (entry.path == "." && entry.kind != EntryKind::kFolder)
    return refuse(path, "a file or link in the place of the folder itself");
  TRY(make(member, std::move(entry), path));
  entries_++;
  if (options_.progress != nullptr) options_.progress->done_entries++;
  return {};
}

Result<void> Extractor::make(const Member& member, Entry entry, const std::string& path) {
  switch (entry.kind) {
    case EntryKind::kFolder:
      return make_folder(entry, member.xattrs);
    case EntryKind::kFile:
      data_size_ += entry.size_bytes;
      return make_file(entry, member.xattrs, member.sparse);
    case EntryKind::kSymlink:
      return make_symlink(entry);
    case EntryKind::kHardLink:
      break;
  }
  if (const std::string* stand_in = selection_.stand_in(entry.link_target);
      stand_in != nullptr && !selection_.contains(entry.link_target)) {
    if (*stand_in == path) return {};  // the file itself stands here already
    entry.link_target = *stand_in;
  }
  TRY(check_path(entry.link_target));
  entry.link_target = TRY(strip_prefix(entry.link_target, options_.strip_prefix));
  return make_hard_link(entry);
}

Result<void> Extractor::make_folder(const Entry& entry, const Xattrs& xattrs) {
  if (entry.path != ".") {
    const auto place = TRY(tree_.locate(entry.path));
    // Open to the own user until everything in it is there.
    if (::mkdirat(place.folder(), place.name.c_str(), 0700) != 0) {
      if (errno != EEXIST) return fail_errno("create folder " + entry.path, errno);
      struct stat info{};
      if (::fstatat(place.folder(), place.name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0)
        return fail_errno("stat " + entry.path, errno);
      if (!S_ISDIR(info.st_mode)) {
        TRY(tree_.clear(place, entry.path));
        if (::mkdirat(place.folder(), place.name.c_str(), 0700) != 0)
          return fail_errno("create folder " + entry.path, errno);
      } else if ((info.st_mode & 0700) != 0700 &&
                 ::fchmodat(place.folder(), place.name.c_str(), (info.st_mode & 07777) | 0700, 0) !=
                     0) {
        return fail_errno("make room in folder " + entry.path, errno);
      }
    }
  }
  return folders_.add(entry, xattrs);
}

Result<void> Extractor::make_file(const Entry& entry, const Xattrs& xattrs, bool sparse) {
  auto writer =
      std::make_unique<FileWriter>(TRY(tree_.locate(entry.path)), entry, xattrs, sparse, budget_);
  if (!any_order_ || sparse || entry.size_bytes > WriteBehind::kMaxUnmade)
    TRY(writer->make(metadata_));
  files_->begin(std::move(writer));
  return {};
}

Result<void> Extractor::make_symlink(const Entry& entry) {
  const auto place = TRY(tree_.locate(entry.path));
  TRY(tree_.clear(place, entry.path));
  const char* name = place.name.c_str();
  if (::symlinkat(entry.link_target.c_str(), place.folder(), name) != 0)
    return fail_errno("create link " + entry.path, errno);
  return metadata_.set_unopened(place.folder(), name, entry);
}

Result<void> Extractor::make_special(const Entry& entry, const struct stat& original) {
  const auto place = TRY(tree_.locate(entry.path));
  const char* name = place.name.c_str();
  if (::mknodat(place.folder(), name, original.st_mode, original.st_rdev) != 0)
    return fail_errno("create " + entry.path, errno);
  TRY(metadata_.set_unopened(place.folder(), name, entry));
  // After the owner, and whatever the umask. Just made, so it is no symlink.
  if (::fchmodat(place.folder(), name, entry.mode, 0) != 0)
    return fail_errno("set the mode of " + entry.path, errno);
  entries_++;
  return {};
}

// Only to a regular file that was made in this unpacking: nothing that stood there before gets a
// second name.
Result<void> Extractor::make_hard_link(const Entry& entry) {
  if (entry.path == entry.link_target) return refuse(entry.path, "a hard link to itself");
  TRY(files_->settle());  // it may not be made yet
  const auto target = tree_.locate(entry.link_target, false);
  struct stat info{};
  UniqueFd file;
  if (target)
    file =
        UniqueFd(::openat(target->folder(), target->name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (!file)
    return refuse(entry.path, "a hard link to " + entry.link_target + ", which is not there");
  if (::fstat(file.get(), &info) != 0) return fail_errno("stat " + entry.link_target, errno);
  if (!S_ISREG(info.st_mode) || before(info.st_ctim, start_))
    return refuse(entry.path,
                  "a hard link to " + entry.link_target + ", which is not a file of this archive");
  const auto place = TRY(tree_.locate(entry.path));
  TRY(tree_.clear(place, entry.path));
  if (::linkat(target->folder(), target->name.c_str(), place.folder(), place.name.c_str(), 0) != 0)
    return fail_errno("create hard link " + entry.path, errno);
  return {};
}

Result<void> Extractor::data(uint64_t offset, ConstBytes bytes) {
  if (!files_->at_work()) return {};
  if (options_.progress != nullptr) options_.progress->done_bytes += bytes.size();
  return files_->write(offset, bytes);
}

bool Extractor::share(int from) {
  const std::optional<uint64_t> shared = files_->share(from);
  if (!shared) return false;
  if (options_.progress != nullptr) options_.progress->done_bytes += *shared;
  return true;
}

void Extractor::share_at_end(UniqueFd from) {
  if (files_->at_work()) files_->share_at_end(std::move(from));
}

Result<void> Extractor::end() {
  return files_->at_work() ? files_->end() : Result<void>();
}

Result<void> Extractor::abandon() {
  if (!files_->at_work()) return {};
  const auto file = TRY(files_->abandon());
  data_size_ -= file->size_bytes();
  entries_--;
  const auto place = TRY(tree_.locate(file->path(), false));
  return tree_.clear(place, file->path());
}

std::optional<mode_t> Extractor::standing_at(const std::string& path) {
  const auto stripped = strip_prefix(path, options_.strip_prefix);
  if (!stripped) return std::nullopt;
  const auto place = tree_.locate(*stripped, false);
  struct stat info{};
  if (!place || ::fstatat(place->folder(), place->name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0)
    return std::nullopt;
  return info.st_mode;
}

Result<void> Extractor::finish() {
  TRY(files_->settle());
  for (const auto& [file, link] : selection_.stand_ins())
    if (!stand_ins_made_.contains(link))
      return refuse(link, "a hard link to " + file + ", which is not a file of this archive");
  return folders_.visit([&](const Entry& entry, const Xattrs& xattrs) -> Result<void> {
    const UniqueFd fd = TRY(tree_.open_folder(entry.path));
    struct stat now{};
    if (::fstat(fd.get(), &now) != 0) return fail_errno("stat " + entry.path, errno);
    return metadata_.set(fd.get(), now, entry, xattrs);
  });
}

}  // namespace manman::archive
