#include "archive/staging.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>

#include "base/file.h"
#include "base/log.h"

namespace manman::archive {
namespace fs = std::filesystem;
namespace {

// Whether there is a folder; anything else of that name (a file, a symlink) must not be swapped
// away unseen.
Result<bool> is_folder(const fs::path& path) {
  struct stat info{};
  if (::lstat(path.c_str(), &info) != 0) {
    if (errno == ENOENT) return false;
    return fail_errno("stat " + path.string(), errno);
  }
  if (!S_ISDIR(info.st_mode))
    return fail(Code::kFailedPrecondition, path.string() + " is there and is not a folder");
  return true;
}

Error exchange_error(const fs::path& staged, const fs::path& live, int error_number) {
  const std::string what = "exchange " + staged.string() + " and " + live.string();
  if (error_number == EINVAL || error_number == ENOSYS)
    return Error{Code::kUnimplemented,
                 what + ": this file system can't exchange two folders in one step"}
        .with_hint("keep the data folder on ext4, XFS or Btrfs");
  if (error_number == EXDEV || error_number == EBUSY)
    return Error{Code::kFailedPrecondition,
                 errno_error(what, error_number).message +
                     " (a mount point can't be exchanged; mount the folder above it)"};
  return errno_error(what, error_number);
}

Result<void> sync_parents(const fs::path& a, const fs::path& b) {
  TRY(fsync_dir(a.parent_path()));
  if (a.parent_path() != b.parent_path()) TRY(fsync_dir(b.parent_path()));
  return {};
}

}  // namespace

Result<Staging> Staging::create(const fs::path& path) {
  TRY(in("remove what an earlier try left", remove_tree(path)));
  if (::mkdir(path.c_str(), 0700) != 0) return fail_errno("create folder " + path.string(), errno);
  auto sync = TreeSync::open(path);
  if (!sync) {
    ::rmdir(path.c_str());
    return std::unexpected(std::move(sync).error());
  }
  return Staging(path, std::move(*sync));
}

Staging::Staging(Staging&& other) noexcept
    : path_(std::exchange(other.path_, fs::path())), sync_(std::move(other.sync_)) {}

Staging::~Staging() {
  if (path_.empty()) return;
  if (auto removed = remove_tree(path_); !removed)
    log_error({}, "staging folder stays behind: {}", removed.error().message);
}

Result<TreeSync> TreeSync::open(const fs::path& dir) {
  UniqueFd fd(::open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return fail_errno("open folder " + dir.string(), errno);
  return TreeSync(std::move(fd), dir.string());
}

Result<void> TreeSync::finish() const {
  if (::syncfs(dir_.get()) != 0) return fail_errno("sync the file system of " + name_, errno);
  return {};
}

Result<void> swap_in(const fs::path& staged, const fs::path& live) {
  if (!TRY(is_folder(staged))) return fail(Code::kNotFound, staged.string() + " is not there");
  const bool exchange = TRY(is_folder(live));
  const unsigned flags = exchange ? RENAME_EXCHANGE : RENAME_NOREPLACE;
  int outcome = ::renameat2(AT_FDCWD, staged.c_str(), AT_FDCWD, live.c_str(), flags);
  // Without RENAME_NOREPLACE a plain rename serves: it never replaces a folder that holds anything.
  if (outcome != 0 && !exchange && (errno == EINVAL || errno == ENOSYS))
    outcome = ::rename(staged.c_str(), live.c_str());
  if (outcome != 0) return std::unexpected(exchange_error(staged, live, errno));
  return sync_parents(staged, live);
}

Result<std::string> folder_identity(const fs::path& dir) {
  struct statx info{};
  if (::statx(AT_FDCWD, dir.c_str(), AT_SYMLINK_NOFOLLOW, STATX_INO | STATX_BTIME | STATX_TYPE,
              &info) != 0)
    return fail_errno("stat " + dir.string(), errno);
  std::string identity = std::to_string(info.stx_ino);
  if ((info.stx_mask & STATX_BTIME) != 0)
    identity +=
        ":" + std::to_string(info.stx_btime.tv_sec) + "." + std::to_string(info.stx_btime.tv_nsec);
  return identity;
}

}  // namespace manman::archive
