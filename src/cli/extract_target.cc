#include "cli/extract_target.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <vector>

#include "base/file.h"

namespace manman::cli {
namespace {
namespace fs = std::filesystem;

// Those of the archive's own folder entry, which were set on the staging folder.
using FolderAttributes = struct stat;

Result<FolderAttributes> attributes_of(const fs::path& dir) {
  FolderAttributes info{};
  if (::stat(dir.c_str(), &info) != 0) return fail_errno("stat " + dir.string(), errno);
  return info;
}

Result<void> set_attributes(const fs::path& dir, const FolderAttributes& info) {
  const timespec times[2] = {info.st_atim, info.st_mtim};
  if (::geteuid() == 0 && ::chown(dir.c_str(), info.st_uid, info.st_gid) != 0)
    return fail_errno("set the owner of " + dir.string(), errno);
  if (::chmod(dir.c_str(), info.st_mode & 07777) != 0)
    return fail_errno("set the mode of " + dir.string(), errno);
  if (::utimensat(AT_FDCWD, dir.c_str(), times, 0) != 0)
    return fail_errno("set the times of " + dir.string(), errno);
  return {};
}

}  // namespace

ExtractTarget::KeepTimes::~KeepTimes() {
  if (dir_.empty()) return;
  const timespec times[2] = {info_.st_atim, info_.st_mtim};
  // The folder itself is as it was; its times are a courtesy.
  (void)::utimensat(AT_FDCWD, dir_.c_str(), times, 0);
}

Result<ExtractTarget> ExtractTarget::open(const fs::path& dir, bool force) {
  std::error_code error;
  const fs::path path = fs::absolute(dir, error).lexically_normal();
  const auto status = fs::status(path, error);
  const std::string staging_name = ".manman-extract-" + std::to_string(::getpid());
  if (status.type() == fs::file_type::not_found) {
    const fs::path place = path.filename().empty() ? path.parent_path() : path;
    TRY(make_dirs(place.parent_path()));
    ExtractTarget target(place, Kind::kMissing);
    target.staging_.emplace(TRY(archive::Staging::create(place.parent_path() / staging_name)));
    return target;
  }
  if (error) return fail_errno("open " + dir.string(), error.value());
  if (status.type() != fs::file_type::directory)
    return fail(Code::kInvalidArgument, dir.string() + " is there and is not a folder");
  const bool empty = fs::is_empty(path, error);
  if (error) return fail_errno("read folder " + dir.string(), error.value());
  if (!empty && !force)
    return std::unexpected(
        Error{Code::kFailedPrecondition, "the folder " + dir.string() + " is not empty"}.with_hint(
            "choose another, or unpack into it with --force"));
  ExtractTarget target(path, empty ? Kind::kEmpty : Kind::kFilled);
  if (empty) {
    target.times_.emplace(path, TRY(attributes_of(path)));
    target.staging_.emplace(TRY(archive::Staging::create(path / staging_name)));
  } else {
    target.sync_.emplace(TRY(archive::TreeSync::open(path)));
  }
  return target;
}

Result<void> ExtractTarget::commit(bool sync) {
  if (sync) TRY(staging_ ? staging_->sync() : sync_->finish());
  if (kind_ == Kind::kFilled) return {};
  if (kind_ == Kind::kEmpty) return move_up(sync);
  const fs::path from = staging_->path();
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, dir_.c_str(), RENAME_NOREPLACE) != 0) {
    const bool unsupported = errno == EINVAL || errno == ENOSYS;
    if (!unsupported || ::rename(from.c_str(), dir_.c_str()) != 0)
      return fail_errno("rename to " + dir_.string(), errno);
  }
  staging_->release();
  return sync ? fsync_dir(dir_.parent_path()) : Result<void>();
}

Result<void> ExtractTarget::move_up(bool sync) {
  const fs::path from = staging_->path();
  std::error_code error;
  std::vector<fs::path> children;
  for (auto at = fs::directory_iterator(from, error); !error && at != fs::directory_iterator();
       at.increment(error))
    children.push_back(at->path().filename());
  if (error) return fail_errno("read folder " + from.string(), error.value());
  for (const fs::path& child : children)
    if (::rename((from / child).c_str(), (dir_ / child).c_str()) != 0)
      return fail_errno("move " + child.string() + " to " + dir_.string(), errno);
  // Last, as removing the staging folder changes the time of the one around it.
  const FolderAttributes attributes = TRY(attributes_of(from));
  if (::rmdir(from.c_str()) != 0) return fail_errno("remove " + from.string(), errno);
  staging_->release();
  times_->release();
  TRY(set_attributes(dir_, attributes));
  return sync ? fsync_dir(dir_) : Result<void>();
}

}  // namespace manman::cli
