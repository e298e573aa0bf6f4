#include "cli/output_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace manman::cli {
namespace {

std::unexpected<Error> taken(const std::filesystem::path& path) {
  return std::unexpected(Error{Code::kAlreadyExists, path.string() + " is there already"}.with_hint(
      "choose another name, or replace it with --force"));
}

// As rename(2), but refuses to replace. File systems that can't do so in one step get it in two.
Result<void> rename_new(const std::filesystem::path& from, const std::filesystem::path& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return {};
  if (errno == EEXIST) return taken(to);
  if (errno != EINVAL && errno != ENOSYS) return fail_errno("rename to " + to.string(), errno);
  struct stat info{};
  if (::lstat(to.c_str(), &info) == 0) return taken(to);
  if (::rename(from.c_str(), to.c_str()) != 0) return fail_errno("rename to " + to.string(), errno);
  return {};
}

}  // namespace

Result<OutputFile> OutputFile::create(const std::filesystem::path& path, bool force) {
  struct stat info{};
  if (::stat(path.c_str(), &info) == 0) {
    if (S_ISDIR(info.st_mode))
      return fail(Code::kInvalidArgument, path.string() + " is a folder, not a file");
    if (!S_ISREG(info.st_mode))
      return fail(Code::kInvalidArgument, path.string() + " is not a regular file");
    if (!force) return taken(path);
  } else if (::lstat(path.c_str(), &info) == 0 && !force) {
    return taken(path);
  }
  const std::filesystem::path beside = path.string() + ".tmp-" + std::to_string(::getpid());
  UniqueFd fd(::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666));
  if (!fd) return fail_errno("create " + beside.string(), errno);
  return OutputFile(path, beside, std::move(fd), force);
}

OutputFile::OutputFile(OutputFile&& other) noexcept
    : path_(std::move(other.path_)),
      beside_(std::exchange(other.beside_, {})),
      fd_(std::move(other.fd_)),
      writeback_(other.writeback_),
      force_(other.force_) {}

OutputFile::~OutputFile() {
  if (!beside_.empty()) ::unlink(beside_.c_str());
}

Result<void> OutputFile::write(ConstBytes bytes) {
  TRY(write_all(fd_.get(), bytes, beside_.string()));
  writeback_.wrote(fd_.get(), bytes.size());
  return {};
}

Result<void> OutputFile::commit(bool sync) {
  if (sync) {
    if (::fsync(fd_.get()) != 0) return fail_errno("fsync " + beside_.string(), errno);
    writeback_.synced(fd_.get());
  }
  if (!force_) {
    TRY(rename_new(beside_, path_));
  } else if (::rename(beside_.c_str(), path_.c_str()) != 0) {
    return fail_errno("rename to " + path_.string(), errno);
  }
  beside_.clear();
  return sync ? fsync_dir(path_.parent_path()) : Result<void>();
}

}  // namespace manman::cli
