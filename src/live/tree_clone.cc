#include "live/tree_clone.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <memory>
#include <optional>
#include <utility>

#include "archive/copy_tree.h"
#include "archive/file_clock.h"
#include "live/fresh.h"

namespace manman::live {
namespace {
namespace fs = std::filesystem;

// Of the names of folders that are kept in memory.
constexpr size_t kMaxNotedBytes = size_t{16} << 20;
constexpr int kFolderFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

Result<UniqueFd> open_folder(const fs::path& dir) {
  UniqueFd fd(::open(dir.c_str(), kFolderFlags));
  if (!fd) return fail_errno("open folder " + dir.string(), errno);
  return fd;
}

// None: nothing stands there.
Result<std::optional<struct stat>> look_at(int folder, const std::string& path) {
  struct stat info{};
  if (::fstatat(folder, path.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0) return info;
  if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
  return fail_errno("stat " + path, errno);
}

bool same_contents(const struct stat& one, const struct stat& other) {
  return (one.st_mode & S_IFMT) == (other.st_mode & S_IFMT) && one.st_size == other.st_size &&
         one.st_mtim.tv_sec == other.st_mtim.tv_sec && one.st_mtim.tv_nsec == other.st_mtim.tv_nsec;
}

std::string attribute_names(const fs::path& dir) {
  std::string names(XATTR_LIST_MAX, '\0');
  const ssize_t size = ::llistxattr(dir.c_str(), names.data(), names.size());
  names.resize(size > 0 ? static_cast<size_t>(size) : 0);
  return names;
}

// Errors that say that a clone of all can't be, and nothing worse.
bool only_says_no(Code code) {
  return code == Code::kUnimplemented || code == Code::kFailedPrecondition ||  // a mount point
         code == Code::kResourceExhausted;
}

}  // namespace

TreeClone::TreeClone(fs::path from, fs::path to, int threads, std::function<bool()> stop)
    : from_(std::move(from)), to_(std::move(to)), threads_(threads), stop_(std::move(stop)) {}

Result<void> TreeClone::prepare() {
  const UniqueFd beside = TRY(open_folder(to_.parent_path()));
  since_ = TRY(archive::file_clock_now(beside.get()));
  since_ = earlier(since_, kTick);
  const auto copied = copy_all(true);
  prepared_ = copied && *copied && noted_bytes_ <= kMaxNotedBytes;
  if (!prepared_) {
    folders_.clear();
    TRY(remove_tree(to_));
  }
  if (!copied) return std::unexpected(copied.error());
  return {};
}

Result<bool> TreeClone::make() {
  if (prepared_) {
    const auto updated = update();
    if (updated ? *updated : updated.error().code == Code::kCancelled) return updated;
    TRY(set_aside());
  }
  return copy_all(false);
}

// To be removed with the folder around it: now it would take time.
Result<void> TreeClone::set_aside() {
  const fs::path aside = to_.parent_path() / "aside";
  if (::rename(to_.c_str(), aside.c_str()) != 0) return fail_errno("rename " + to_.string(), errno);
  return {};
}

Result<bool> TreeClone::copy_all(bool prepares) {
  if (::mkdir(to_.c_str(), 0700) != 0) return fail_errno("create folder " + to_.string(), errno);
  archive::CopyOptions options{.only_shared = true, .threads = threads_, .stop = stop_};
  if (prepares)
    options.entering = [this](const std::string& path, const struct stat& info) {
      note_folder(path, info);
    };
  const auto copied = archive::copy_tree(from_, to_, options);
  if (copied) return copied->warning_count == (prepares ? copied->vanished_count : 0);
  if (only_says_no(copied.error().code)) return false;
  return std::unexpected(copied.error());
}

void TreeClone::note_folder(const std::string& path, const struct stat& info) {
  noted_bytes_ += path.size() + sizeof(Folders::value_type);
  if (noted_bytes_ <= kMaxNotedBytes) folders_.insert_or_assign(path, info.st_ino);
}

Result<bool> TreeClone::update() {
  source_ = TRY(open_folder(from_));
  clone_ = TRY(open_folder(to_));
  const UniqueFd beside = TRY(open_folder(to_.parent_path()));
  struct stat root{};
  if (::fstat(source_.get(), &root) != 0) return fail_errno("stat " + from_.string(), errno);
  const auto known = folders_.find("");
  if (known == folders_.end() || known->second != root.st_ino) return false;
  // A clock that was set back tells nothing of what is newer.
  if (archive::before(TRY(archive::file_clock_now(beside.get())), since_)) return false;
  TRY(meet_folder("", root));
  Result<void> looked;
  archive::CopyOptions options{.only_shared = true, .threads = threads_};
  options.leave_out = [&](const std::string& path, const struct stat& info) {
    if (!looked) return true;
    const auto kept = keeps(path, info);
    if (!kept) looked = std::unexpected(kept.error());
    return !kept || *kept;
  };
  options.stop = [&] { return !looked || (stop_ && stop_()); };
  const auto copied = archive::copy_tree(from_, to_, options);
  TRY(looked);
  if (!copied) return std::unexpected(copied.error());
  return copied->warning_count == 0;
}

bool TreeClone::is_fresh(const struct stat& info) const {
  return !archive::before(info.st_ctim, since_);
}

// Whether the clone has it already as it is. If not, its place is free.
Result<bool> TreeClone::keeps(const std::string& path, const struct stat& info) {
  if (S_ISDIR(info.st_mode)) {
    TRY(meet_folder(path, info));
    return false;
  }
  const auto there = TRY(look_at(clone_.get(), path));
  if (there && !is_fresh(info) && same_contents(info, *there)) return true;
  if (S_ISREG(info.st_mode) && info.st_nlink > 1)
    return fail(Code::kAborted, path + " has other names, which may have changed with it");
  if (there) TRY(remove_tree(to_ / path));
  return false;
}

// Makes the clone of a folder fit to be brought up to date.
Result<void> TreeClone::meet_folder(const std::string& path, const struct stat& info) {
  const auto known = folders_.find(path);
  if (known == folders_.end() || known->second != info.st_ino) return remove_tree(to_ / path);
  if (!is_fresh(info)) return {};
  const fs::path clone = path.empty() ? to_ : to_ / path;
  // Copying them takes none away.
  if (attribute_names(clone) != attribute_names(from_ / path))
    return fail(Code::kAborted, path + " has other attributes now");
  return remove_gone(path);
}

// Names, and what is of another kind now.
Result<void> TreeClone::remove_gone(const std::string& folder) {
  const int fd = ::openat(clone_.get(), folder.empty() ? "." : folder.c_str(), kFolderFlags);
  if (fd < 0 && errno == ENOENT) return {};
  if (fd < 0) return fail_errno("open folder " + (to_ / folder).string(), errno);
  const std::unique_ptr<DIR, int (*)(DIR*)> names(::fdopendir(fd), ::closedir);
  if (!names) {
    const int error_number = errno;
    ::close(fd);
    return fail_errno("read folder " + (to_ / folder).string(), error_number);
  }
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(names.get());
    if (entry == nullptr && errno != 0)
      return fail_errno("read folder " + (to_ / folder).string(), errno);
    if (entry == nullptr) return {};
    const std::string name = entry->d_name;
    if (name == "." || name == "..") continue;
    const std::string path = folder.empty() ? name : folder + "/" + name;
    const auto now = TRY(look_at(source_.get(), path));
    const bool is_folder = now && S_ISDIR(now->st_mode);
    if (now && is_folder == (entry->d_type == DT_DIR)) continue;
    TRY(remove_tree(to_ / path));
  }
}

}  // namespace manman::live
