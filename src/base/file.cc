#include "base/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace manman {
namespace fs = std::filesystem;

void UniqueFd::reset() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

Result<std::unique_ptr<FileSource>> FileSource::open(const fs::path& path) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (!fd) return fail_errno("open " + path.string(), errno);
  struct stat info{};
  if (::fstat(fd.get(), &info) != 0) return fail_errno("stat " + path.string(), errno);
  if (!S_ISREG(info.st_mode))
    return fail(Code::kInvalidArgument, path.string() + " is not a regular file");
  return std::make_unique<FileSource>(std::move(fd), static_cast<uint64_t>(info.st_size),
                                      path.string());
}

Result<void> FileSource::read_at(uint64_t offset, MutableBytes buffer) {
  while (!buffer.empty()) {
    const ssize_t count =
        ::pread(fd_.get(), buffer.data(), buffer.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail_errno("read " + name_, errno);
    if (count == 0)
      return fail(Code::kOutOfRange,
                  name_ + " ends before offset " + std::to_string(offset + buffer.size()));
    buffer = buffer.subspan(static_cast<size_t>(count));
    offset += static_cast<uint64_t>(count);
  }
  return {};
}

Result<void> write_all(int fd, ConstBytes bytes, std::string_view what) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(fd, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail_errno("write " + std::string(what), errno);
    bytes = bytes.subspan(static_cast<size_t>(count));
  }
  return {};
}

Result<void> write_file_durably(const fs::path& path, std::string_view contents) {
  const fs::path beside = path.string() + ".new";
  {
    UniqueFd fd(::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (!fd) return fail_errno("create " + beside.string(), errno);
    auto written = write_all(fd.get(), as_bytes(contents), beside.string());
    if (written && ::fsync(fd.get()) != 0) written = fail_errno("fsync " + beside.string(), errno);
    if (!written) {
      ::unlink(beside.c_str());
      return written;
    }
  }
  if (::rename(beside.c_str(), path.c_str()) != 0) {
    const int error_number = errno;
    ::unlink(beside.c_str());
    return fail_errno("rename to " + path.string(), error_number);
  }
  return fsync_dir(path.parent_path());
}

Result<std::string> read_file(const fs::path& path, size_t max_bytes) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return fail_errno("open " + path.string(), errno);
  std::string contents;
  char buffer[16384];
  for (;;) {
    const ssize_t count = ::read(fd.get(), buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail_errno("read " + path.string(), errno);
    if (count == 0) return contents;
    if (contents.size() + static_cast<size_t>(count) > max_bytes)
      return fail(Code::kOutOfRange,
                  path.string() + " is larger than " + std::to_string(max_bytes) + " bytes");
    contents.append(buffer, static_cast<size_t>(count));
  }
}

Result<void> fsync_dir(const fs::path& dir) {
  const fs::path target = dir.empty() ? fs::path(".") : dir;
  UniqueFd fd(::open(target.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return fail_errno("open folder " + target.string(), errno);
  if (::fsync(fd.get()) != 0) return fail_errno("fsync folder " + target.string(), errno);
  return {};
}

Result<void> make_dirs(const fs::path& dir) {
  if (dir.empty() || dir == dir.root_path()) return {};
  struct stat info{};
  if (::stat(dir.c_str(), &info) == 0) {
    if (S_ISDIR(info.st_mode)) return {};
    return fail(Code::kFailedPrecondition, dir.string() + " is there and is not a folder");
  }
  fs::path parent = dir.parent_path();
  TRY(make_dirs(parent));
  if (dir.filename().empty()) return {};
  if (::mkdir(dir.c_str(), 0755) != 0 && errno != EEXIST)
    return fail_errno("create folder " + dir.string(), errno);
  return fsync_dir(parent);
}

namespace {

// Removes everything in the folder that fd stands for. Takes ownership of fd.
Result<void> remove_contents(UniqueFd fd, const std::string& name) {
  const int listing = ::dup(fd.get());
  if (listing < 0) return fail_errno("read folder " + name, errno);
  std::unique_ptr<DIR, int (*)(DIR*)> dir(::fdopendir(listing), ::closedir);
  if (!dir) {
    const int error_number = errno;
    ::close(listing);
    return fail_errno("read folder " + name, error_number);
  }
  while (const dirent* entry = ::readdir(dir.get())) {
    const std::string_view child = entry->d_name;
    if (child == "." || child == "..") continue;
    if (entry->d_type != DT_DIR && ::unlinkat(fd.get(), entry->d_name, 0) == 0) continue;
    if (entry->d_type != DT_DIR && errno != EISDIR && errno != EPERM) {
      if (errno == ENOENT) continue;
      return fail_errno("remove " + name + "/" + entry->d_name, errno);
    }
    const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    UniqueFd inner(::openat(fd.get(), entry->d_name, flags));
    if (!inner && errno == EACCES) {
      ::fchmodat(fd.get(), entry->d_name, 0700, 0);
      inner = UniqueFd(::openat(fd.get(), entry->d_name, flags));
    }
    if (!inner) return fail_errno("open folder " + name + "/" + entry->d_name, errno);
    ::fchmod(inner.get(), 0700);
    TRY(remove_contents(std::move(inner), name + "/" + entry->d_name));
    if (::unlinkat(fd.get(), entry->d_name, AT_REMOVEDIR) != 0 && errno != ENOENT)
      return fail_errno("remove folder " + name + "/" + entry->d_name, errno);
  }
  return {};
}

}  // namespace

Result<void> remove_tree(const fs::path& path) {
  if (::unlink(path.c_str()) == 0 || errno == ENOENT) return {};
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd && errno == EACCES) {
    ::chmod(path.c_str(), 0700);
    fd = UniqueFd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  }
  if (!fd && errno == ENOENT) return {};
  if (!fd) return fail_errno("remove " + path.string(), errno);
  ::fchmod(fd.get(), 0700);
  TRY(remove_contents(std::move(fd), path.string()));
  if (::rmdir(path.c_str()) != 0 && errno != ENOENT)
    return fail_errno("remove folder " + path.string(), errno);
  return {};
}

}  // namespace manman
