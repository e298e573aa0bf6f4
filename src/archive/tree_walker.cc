#include "archive/tree_walker.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "archive/format.h"

namespace manman::archive {
namespace {

constexpr size_t kMaxNames = 100'000;
// Deeper folders' parents are closed, and opened again by ".." on the way back.
constexpr size_t kMaxOpenLevels = 32;
constexpr int kFolderFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

// Opens without touching the access time where the owner or root asks; others can't.
UniqueFd open_quietly(int folder, const char* name, int flags) {
  UniqueFd fd(::openat(folder, name, flags | O_NOATIME));
  if (!fd && errno == EPERM) fd = UniqueFd(::openat(folder, name, flags));
  return fd;
}

}  // namespace

Result<std::string_view> open_file(int parent, const char* name, const std::string& shown,
                                   Found& found) {
  // O_NONBLOCK: should a fifo have taken its place, the opening must not wait for a writer.
  found.file =
      open_quietly(parent, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (!found.file && (errno == ENOENT || errno == ELOOP || errno == ENXIO))
    return "vanished while the folder was read";
  if (!found.file) return fail_errno("open " + shown, errno);
  if (::fstat(found.file.get(), &found.info) != 0) return fail_errno("stat " + shown, errno);
  return S_ISREG(found.info.st_mode) ? "" : "was replaced while the folder was read";
}

Entry Found::entry_as(std::string as) const {
  Entry entry;
  entry.path = std::move(as);
  if (S_ISDIR(info.st_mode)) entry.kind = EntryKind::kFolder;
  if (S_ISLNK(info.st_mode)) entry.kind = EntryKind::kSymlink;
  if (S_ISREG(info.st_mode)) entry.size_bytes = static_cast<uint64_t>(info.st_size);
  entry.mode = info.st_mode & 07777;
  entry.uid = info.st_uid;
  entry.gid = info.st_gid;
  entry.mtime_s = info.st_mtim.tv_sec;
  entry.mtime_ns = static_cast<uint32_t>(info.st_mtim.tv_nsec);
  entry.link_target = link_target;
  return entry;
}

// An entered folder: its names, sorted, and how far they have been taken.
struct TreeWalker::Level {
  OpenFolder fd;  // none while far from the top
  struct stat info{};
  size_t path_size = 0;                                              // of the parent's path
  std::unique_ptr<DIR, int (*)(DIR*)> listing{nullptr, ::closedir};  // while more names follow
  std::string names;  // each begun by its type and ended by a NUL
  std::vector<uint32_t> order;
  size_t next = 0;

  void add(unsigned char type, std::string_view name) {
    order.push_back(static_cast<uint32_t>(names.size()));
    names += static_cast<char>(type);
    names.append(name).push_back('\0');
  }
  unsigned char type_at(uint32_t at) const { return static_cast<unsigned char>(names[at]); }
  const char* name_at(uint32_t at) const { return names.data() + at + 1; }
  bool is_before(uint32_t a, uint32_t b) const { return std::strcmp(name_at(a), name_at(b)) < 0; }
  void sort() {
    std::ranges::sort(order, [this](uint32_t a, uint32_t b) { return is_before(a, b); });
  }
  // Forgets all names but so many that come first.
  void keep_first(size_t count) {
    std::ranges::nth_element(order, order.begin() + static_cast<ptrdiff_t>(count),
                             [this](uint32_t a, uint32_t b) { return is_before(a, b); });
    order.resize(count);
    const std::string all = std::exchange(names, {});
    for (const uint32_t at : std::exchange(order, {}))
      add(static_cast<unsigned char>(all[at]), all.data() + at + 1);
  }
};

TreeWalker::TreeWalker(Visit visit, Warn warn, WalkOptions options)
    : visit_(std::move(visit)), warn_(std::move(warn)), options_(std::move(options)) {}
TreeWalker::~TreeWalker() = default;

Result<void> TreeWalker::walk(const std::string& dir) {
  root_ = dir;
  UniqueFd opened(::open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened && errno == ENOTDIR) return fail(Code::kInvalidArgument, dir + " is not a folder");
  if (!opened) return fail_errno("open folder " + dir, errno);
  struct stat info{};
  if (::fstat(opened.get(), &info) != 0) return fail_errno("stat " + dir, errno);
  device_ = info.st_dev;
  const auto fd = std::make_shared<const UniqueFd>(std::move(opened));
  TRY(visit_(Found{.path = "", .info = info, .folder = fd}));
  TRY(enter(fd, info, ""));
  std::string name;
  unsigned char type = DT_UNKNOWN;
  while (!levels_.empty()) {
    if (TRY(next_name(name, type)))
      TRY(take(name, type));
    else
      TRY(leave());
  }
  return {};
}

std::string TreeWalker::child_path(const std::string& name) const {
  return path_.empty() ? name : path_ + "/" + name;
}

Result<void> TreeWalker::enter(const OpenFolder& fd, const struct stat& info,
                               const std::string& name) {
  auto level = std::make_unique<Level>();
  level->path_size = path_.size();
  if (!name.empty()) path_ = child_path(name);
  level->info = info;
  const int listing = ::openat(fd->get(), ".", kFolderFlags);
  if (listing < 0) return fail_errno("read folder " + shown(path_), errno);
  level->fd = fd;
  level->listing.reset(::fdopendir(listing));
  if (!level->listing) {
    const int error_number = errno;
    ::close(listing);
    return fail_errno("read folder " + shown(path_), error_number);
  }
  TRY(load_names(*level));
  levels_.push_back(std::move(level));
  if (levels_.size() > kMaxOpenLevels) levels_[levels_.size() - 1 - kMaxOpenLevels]->fd.reset();
  return {};
}

Result<void> TreeWalker::leave() {
  const std::unique_ptr<Level> left = std::move(levels_.back());
  levels_.pop_back();
  if (!levels_.empty() && !levels_.back()->fd) {
    Level& parent = *levels_.back();
    UniqueFd fd(::openat(left->fd->get(), "..", kFolderFlags));
    struct stat info{};
    if (!fd || ::fstat(fd.get(), &info) != 0)
      return fail_errno("return to the parent of " + shown(path_), errno);
    if (info.st_ino != parent.info.st_ino || info.st_dev != parent.info.st_dev)
      return fail(Code::kAborted, shown(path_) + " was moved while it was read");
    parent.fd = std::make_shared<const UniqueFd>(std::move(fd));
  }
  path_.resize(left->path_size);
  return {};
}

// The next names in order, of all that the folder has. Of more than are held, those that come later
// are let go of and read again.
Result<void> TreeWalker::load_names(Level& level) {
  const std::string after = level.order.empty() ? "" : level.name_at(level.order.back());
  level.names.clear();
  level.order.clear();
  level.next = 0;
  bool more = false;
  ::rewinddir(level.listing.get());
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(level.listing.get());
    if (entry == nullptr && errno != 0) return fail_errno("read folder " + shown(path_), errno);
    if (entry == nullptr) break;
    const std::string_view name = entry->d_name;
    if (name == "." || name == ".." || name <= after) continue;
    level.add(entry->d_type, name);
    if (level.order.size() < 2 * kMaxNames) continue;
    level.keep_first(kMaxNames);
    more = true;
  }
  if (level.order.size() > kMaxNames) {
    level.keep_first(kMaxNames);
    more = true;
  }
  if (!more) level.listing.reset();
  level.sort();
  return {};
}

Result<bool> TreeWalker::next_name(std::string& name, unsigned char& type) {
  Level& level = *levels_.back();
  if (level.next == level.order.size() && level.listing) TRY(load_names(level));
  if (level.next == level.order.size()) return false;
  const uint32_t at = level.order[level.next++];
  name = level.name_at(at);
  type = level.type_at(at);
  return true;
}

Result<void> TreeWalker::take(const std::string& name, unsigned char type) {
  // What it is as it was opened counts, so that one look is enough.
  if (type == DT_REG && options_.files == LookAtFiles::kOpen && !options_.leave_out)
    return take_file(name);
  std::string path = child_path(name);
  struct stat info{};
  if (type == DT_REG && options_.files == LookAtFiles::kName)
    info.st_mode = S_IFREG;
  else if (::fstatat(levels_.back()->fd->get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno != ENOENT) return fail_errno("stat " + shown(path), errno);
    warn_(path, "vanished while the folder was read", true);
    return {};
  }
  if (options_.leave_out && options_.leave_out(path, info)) return {};
  switch (info.st_mode & S_IFMT) {
    case S_IFDIR:
      return take_folder(name, info);
    case S_IFREG:
      if (options_.files == LookAtFiles::kOpen) return take_file(name);
      return visit_(Found{.path = std::move(path), .info = info, .parent = levels_.back()->fd});
    case S_IFLNK:
      return take_symlink(name, info);
    default:
      return take_special(path, info);
  }
}

Result<void> TreeWalker::take_special(const std::string& path, const struct stat& info) {
  if (options_.special_files) return visit_(Found{.path = path, .info = info});
  if (S_ISFIFO(info.st_mode))
    warn_(path, "is a fifo", false);
  else
    warn_(path, S_ISSOCK(info.st_mode) ? "is a socket" : "is a device", false);
  return {};
}

// On another file system, or mounted there from this one (which only an open folder tells).
bool TreeWalker::is_elsewhere(int fd, const struct stat& info) const {
  if (options_.cross_file_systems) return false;
  if (info.st_dev != device_) return true;
  struct statx more{};
  return fd >= 0 && ::statx(fd, "", AT_EMPTY_PATH, 0, &more) == 0 &&
         (more.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

Result<void> TreeWalker::take_folder(const std::string& name, const struct stat& seen) {
  const std::string path = child_path(name);
  if (is_elsewhere(-1, seen)) return visit_(Found{.path = path, .info = seen});
  UniqueFd opened = open_quietly(levels_.back()->fd->get(), name.c_str(), kFolderFlags);
  struct stat info{};
  if (!opened && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP)) {
    warn_(path, "vanished while the folder was read", true);
    return {};
  }
  if (!opened) return fail_errno("open folder " + shown(path), errno);
  if (::fstat(opened.get(), &info) != 0) return fail_errno("stat " + shown(path), errno);
  if (is_elsewhere(opened.get(), info)) return visit_(Found{.path = path, .info = info});
  const auto fd = std::make_shared<const UniqueFd>(std::move(opened));
  TRY(visit_(Found{.path = path, .info = info, .folder = fd}));
  return enter(fd, info, name);
}

Result<void> TreeWalker::take_file(const std::string& name) {
  Found found{.path = child_path(name), .info = {}};
  const std::string_view trouble =
      TRY(open_file(levels_.back()->fd->get(), name.c_str(), shown(found.path), found));
  if (trouble.empty()) return visit_(std::move(found));
  warn_(found.path, trouble, true);
  return {};
}

Result<void> TreeWalker::take_symlink(const std::string& name, const struct stat& info) {
  const std::string path = child_path(name);
  std::array<char, format::kMaxPathSize + 1> target{};
  const ssize_t size =
      ::readlinkat(levels_.back()->fd->get(), name.c_str(), target.data(), target.size());
  if (size < 0 && (errno == ENOENT || errno == EINVAL)) {
    warn_(path, "vanished while the folder was read", true);
    return {};
  }
  if (size < 0) return fail_errno("read link " + shown(path), errno);
  return visit_(Found{.path = path,
                      .info = info,
                      .link_target = std::string(target.data(), static_cast<size_t>(size))});
}

}  // namespace manman::archive
