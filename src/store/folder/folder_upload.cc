#include "store/folder/folder_upload.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>

#include "base/failpoint.h"
#include "base/log.h"
#include "base/writeback.h"
#include "store/folder/pending_uploads.h"

namespace manman {
namespace {

class FolderUpload final : public Upload {
 public:
  FolderUpload(std::shared_ptr<const FolderStoreDirs> dirs, std::string key, std::string name,
               UniqueFd fd)
      : dirs_(std::move(dirs)),
        key_(std::move(key)),
        name_(std::move(name)),
        what_(dirs_->root_name + "/.uploads/" + name_ + " for " + key_),
        fd_(std::move(fd)) {}

  ~FolderUpload() override {
    if (renamed_) return;
    if (::unlinkat(dirs_->uploads.get(), name_.c_str(), 0) != 0 && errno != ENOENT)
      log_error({}, "remove the upload {}: {}", what_, errno_error("unlink", errno).message);
  }

  Result<void> write(ConstBytes bytes) override {
    if (spoilt_) return fail(Code::kFailedPrecondition, what_ + ": written to after an error");
    auto written = write_all(fd_.get(), bytes, what_);
    if (!written) {
      spoilt_ = true;
      return std::unexpected(write_error(fd_.get(), std::move(written).error()));
    }
    writeback_.wrote(fd_.get(), bytes.size());
    return {};
  }

  Result<ObjectInfo> commit() override {
    if (spoilt_) return fail(Code::kFailedPrecondition, what_ + ": committed after an error");
    spoilt_ = true;  // one commit, whatever becomes of it
    TRY(sync_file());
    TRY(failpoint::pass("store.folder.synced"));
    TRY(rename_into_place());
    TRY(failpoint::pass("store.folder.renamed"));
    return describe(fd_.get(), key_, what_);
  }

 private:
  Result<void> sync_file() {
    if (::fsync(fd_.get()) == 0) {
      writeback_.synced(fd_.get());
      return {};
    }
    return std::unexpected(write_error(fd_.get(), errno_error("fsync " + what_, errno)));
  }

  Result<void> rename_into_place() {
    const auto [folder, name] = beneath::split(key_);
    const std::string target = dirs_->bucket_name + "/" + key_;
    UniqueFd parent = TRY(occupied(beneath::open_dir(dirs_->bucket.get(), folder, true, target)));
    const std::string leaf(name);
    if (::renameat(dirs_->uploads.get(), name_.c_str(), parent.get(), leaf.c_str()) != 0) {
      if (errno == EISDIR || errno == ENOTEMPTY || errno == EEXIST)
        return fail(Code::kFailedPrecondition,
                    "rename to " + target + ": other objects stand below this key");
      return fail_errno("rename " + what_ + " to " + target, errno);
    }
    renamed_ = true;
    if (::fsync(parent.get()) != 0) return fail_errno("fsync folder of " + target, errno);
    if (::fsync(dirs_->uploads.get()) != 0)
      return fail_errno("fsync folder " + dirs_->root_name + "/.uploads", errno);
    return {};
  }

  // "a" is an object, so "a/b" can't be one: folders hold either.
  Result<UniqueFd> occupied(Result<UniqueFd> folder) {
    if (folder || folder.error().code != Code::kNotFound) return folder;
    return fail(Code::kFailedPrecondition,
                folder.error().message + "; an object stands where a folder is needed");
  }

  std::shared_ptr<const FolderStoreDirs> dirs_;
  std::string key_;
  std::string name_;
  std::string what_;
  UniqueFd fd_;
  Writeback writeback_;
  bool spoilt_ = false;
  bool renamed_ = false;
};

}  // namespace

ObjectInfo describe(const struct stat& status, std::string_view key) {
  ObjectInfo object;
  object.key = key;
  object.size_bytes = static_cast<uint64_t>(status.st_size);
  object.etag = fmt::format("{:x}-{:x}{:08x}-{:x}", status.st_size, status.st_mtim.tv_sec,
                            status.st_mtim.tv_nsec, status.st_ino);
  object.modified_at = status.st_mtim.tv_sec;
  return object;
}

Result<ObjectInfo> describe(int fd, std::string_view key, std::string_view what) {
  struct stat status{};
  if (::fstat(fd, &status) != 0) return fail_errno("stat " + std::string(what), errno);
  if (!S_ISREG(status.st_mode)) return fail(Code::kNotFound, "no object " + std::string(what));
  return describe(status, key);
}

Error write_error(int fd, Error error) {
  struct statvfs space{};
  if (error.code != Code::kResourceExhausted || ::fstatvfs(fd, &space) != 0) return error;
  const uint64_t free_kib = space.f_bavail * space.f_frsize / 1024;
  error.message += " (" + std::to_string(free_kib) + " KiB free on this file system)";
  return std::move(error).with_hint("free space there, or point the store at a larger disk");
}

Result<std::unique_ptr<Upload>> start_folder_upload(std::shared_ptr<const FolderStoreDirs> dirs,
                                                    std::string_view key) {
  std::string name = TRY(new_upload_name(dirs->bucket_id, key));
  // Archives hold what players and operators trust to the server, passwords included: 0600.
  UniqueFd fd(::openat(dirs->uploads.get(), name.c_str(),
                       O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!fd) {
    Error error = errno_error("create " + dirs->root_name + "/.uploads/" + name, errno);
    return std::unexpected(write_error(dirs->uploads.get(), std::move(error)));
  }
  return std::make_unique<FolderUpload>(std::move(dirs), std::string(key), std::move(name),
                                        std::move(fd));
}

}  // namespace manman
