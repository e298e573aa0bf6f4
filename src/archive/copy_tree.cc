#include "archive/copy_tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/limits.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>

#include "archive/hard_links.h"
#include "archive/path.h"
#include "base/file.h"

namespace manman::archive {
namespace {

constexpr int kFolderFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
constexpr size_t kChunkBytes = size_t{8} << 20;

using Stat = struct stat;

// Names of a folder, "." and ".." left out. The descriptor stays the caller's.
Result<std::vector<std::string>> names_in(int folder, const std::string& path) {
  UniqueFd own(::openat(folder, ".", kFolderFlags));
  if (!own) return fail_errno("open folder " + path, errno);
  const std::unique_ptr<DIR, int (*)(DIR*)> dir(::fdopendir(own.get()), ::closedir);
  if (!dir) return fail_errno("read folder " + path, errno);
  own.release();
  std::vector<std::string> names;
  for (;;) {
    errno = 0;
    const dirent* const entry = ::readdir(dir.get());
    if (entry == nullptr) break;
    std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(std::move(name));
  }
  if (errno != 0) return fail_errno("read folder " + path, errno);
  return names;
}

bool is_root() {
  return ::geteuid() == 0;
}

// Only root may set these; they say nothing that a game could read.
bool may_be_left_out(std::string_view attribute) {
  return !is_root() && (attribute.starts_with("security.") || attribute.starts_with("trusted."));
}

Result<void> copy_attribute(int from, int to, const char* name, const std::string& path) {
  std::vector<char> value(XATTR_SIZE_MAX);
  const ssize_t size = ::fgetxattr(from, name, value.data(), value.size());
  if (size < 0 && may_be_left_out(name)) return {};
  if (size < 0) return fail_errno("read attribute " + std::string(name) + " of " + path, errno);
  if (::fsetxattr(to, name, value.data(), static_cast<size_t>(size), 0) == 0) return {};
  if (may_be_left_out(name)) return {};
  return fail_errno("set attribute " + std::string(name) + " of " + path, errno);
}

// ACLs are attributes too.
Result<void> copy_attributes(int from, int to, const std::string& path) {
  std::vector<char> names(XATTR_LIST_MAX);
  const ssize_t size = ::flistxattr(from, names.data(), names.size());
  if (size < 0 && errno == ENOTSUP) return {};
  if (size < 0) return fail_errno("list the attributes of " + path, errno);
  for (ssize_t at = 0; at < size;) {
    const std::string name(names.data() + at);
    TRY(copy_attribute(from, to, name.c_str(), path));
    at += static_cast<ssize_t>(name.size()) + 1;
  }
  return {};
}

std::array<timespec, 2> times_of(const Stat& info) {
  return {info.st_atim, info.st_mtim};
}

Result<void> copy_metadata(int from, int to, const Stat& info, const std::string& path) {
  if (is_root() && ::fchown(to, info.st_uid, info.st_gid) != 0)
    return fail_errno("set the owner of " + path, errno);
  if (::fchmod(to, info.st_mode & 07777) != 0) return fail_errno("set the mode of " + path, errno);
  TRY(copy_attributes(from, to, path));
  const auto times = times_of(info);
  if (::futimens(to, times.data()) != 0) return fail_errno("set the time of " + path, errno);
  return {};
}

std::unexpected<Error> taken(const std::string& path) {
  return fail(Code::kFailedPrecondition,
              path + " is in the way of what stands below this name in the other folder");
}

class TreeCopier {
 public:
  TreeCopier(dev_t device, int to, const CopyOptions& options)
      : device_(device), to_(to), options_(options) {}

  Result<void> copy_folder(int from, int to, const Stat& info, const std::string& path);
  const CopyResult& result() const { return result_; }

 private:
  Result<void> copy_entry(int from, int to, const std::string& name, const std::string& path);
  Result<void> enter(int from, int to, const std::string& name, const Stat& info,
                     const std::string& path);
  Result<void> copy_file(int from, int to, const std::string& name, const Stat& info,
                         const std::string& path);
  Result<void> copy_contents(int from, int to, const Stat& info, const std::string& path);
  Result<void> copy_run(int from, int to, off_t begin, off_t end, const std::string& path);
  Result<void> copy_other(int from, int to, const std::string& name, const Stat& info,
                          const std::string& path);
  Result<void> count(uint64_t bytes);

  const dev_t device_;
  const int to_;  // the root of the copy
  const CopyOptions& options_;
  HardLinks links_;
  CopyResult result_;
  std::vector<std::byte> buffer_;
};

Result<void> TreeCopier::copy_folder(int from, int to, const Stat& info, const std::string& path) {
  for (const std::string& name : TRY(names_in(from, path.empty() ? "." : path))) {
    const std::string child = path.empty() ? name : path + "/" + name;
    const bool left_out = std::ranges::any_of(
        options_.except, [&](const std::string& one) { return is_at_or_below(child, one); });
    if (!left_out) TRY(copy_entry(from, to, name, child));
  }
  return copy_metadata(from, to, info, path.empty() ? "." : path);
}

Result<void> TreeCopier::copy_entry(int from, int to, const std::string& name,
                                    const std::string& path) {
  if (options_.progress != nullptr) TRY(options_.progress->check());
  Stat info{};
  if (::fstatat(from, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0)
    return fail_errno("stat " + path, errno);
  if (info.st_dev != device_)
    return fail(Code::kFailedPrecondition, path + " is a mount point, whose data can't be kept");
  result_.entries++;
  if (S_ISDIR(info.st_mode)) return enter(from, to, name, info, path);
  if (info.st_nlink > 1) {
    const auto seen = TRY(links_.meet(info, path));
    if (seen.first_path) {
      if (::linkat(to_, seen.first_path->c_str(), to, name.c_str(), 0) == 0) return {};
      return errno == EEXIST ? taken(path) : fail_errno("create hard link " + path, errno);
    }
  }
  if (S_ISREG(info.st_mode)) return copy_file(from, to, name, info, path);
  return copy_other(from, to, name, info, path);
}

Result<void> TreeCopier::enter(int from, int to, const std::string& name, const Stat& info,
                               const std::string& path) {
  // Open to the own user until everything in it is there.
  if (::mkdirat(to, name.c_str(), 0700) != 0 && errno != EEXIST)
    return fail_errno("create folder " + path, errno);
  const UniqueFd source(::openat(from, name.c_str(), kFolderFlags));
  if (!source) return fail_errno("open folder " + path, errno);
  const UniqueFd target(::openat(to, name.c_str(), kFolderFlags));
  if (!target && (errno == ENOTDIR || errno == ELOOP)) return taken(path);
  if (!target) return fail_errno("open folder " + path, errno);
  return copy_folder(source.get(), target.get(), info, path);
}

Result<void> TreeCopier::copy_file(int from, int to, const std::string& name, const Stat& info,
                                   const std::string& path) {
  const UniqueFd source(::openat(from, name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!source) return fail_errno("open " + path, errno);
  const UniqueFd target(
      ::openat(to, name.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!target) return errno == EEXIST ? taken(path) : fail_errno("create " + path, errno);
  result_.data_size_bytes += static_cast<uint64_t>(info.st_size);
  if (::ioctl(target.get(), FICLONE, source.get()) == 0) {
    result_.shared_size_bytes += static_cast<uint64_t>(info.st_size);
    TRY(count(static_cast<uint64_t>(info.st_size)));
  } else {
    TRY(copy_contents(source.get(), target.get(), info, path));
  }
  return copy_metadata(source.get(), target.get(), info, path);
}

Result<void> TreeCopier::copy_contents(int from, int to, const Stat& info,
                                       const std::string& path) {
  for (off_t at = 0; at < info.st_size;) {
    const off_t begin = ::lseek(from, at, SEEK_DATA);
    if (begin < 0 && errno == ENXIO) break;  // a hole to the end
    if (begin < 0) return fail_errno("read " + path, errno);
    const off_t end = ::lseek(from, begin, SEEK_HOLE);
    if (end < 0) return fail_errno("read " + path, errno);
    TRY(count(static_cast<uint64_t>(begin - at)));
    TRY(copy_run(from, to, begin, std::min(end, info.st_size), path));
    at = end;
  }
  if (::ftruncate(to, info.st_size) != 0) return fail_errno("write " + path, errno);
  return {};
}

Result<void> TreeCopier::copy_run(int from, int to, off_t begin, off_t end,
                                  const std::string& path) {
  buffer_.resize(kChunkBytes);
  while (begin < end) {
    const size_t wanted = std::min<uint64_t>(buffer_.size(), static_cast<uint64_t>(end - begin));
    const ssize_t got = ::pread(from, buffer_.data(), wanted, begin);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno("read " + path, errno);
    if (got == 0) return fail(Code::kAborted, path + " became shorter while it was copied");
    if (::lseek(to, begin, SEEK_SET) < 0) return fail_errno("write " + path, errno);
    TRY(write_all(to, ConstBytes(buffer_).first(static_cast<size_t>(got)), path));
    begin += got;
    TRY(count(static_cast<uint64_t>(got)));
  }
  return {};
}

Result<void> TreeCopier::copy_other(int from, int to, const std::string& name, const Stat& info,
                                    const std::string& path) {
  int made = 0;
  if (S_ISLNK(info.st_mode)) {
    std::string target(static_cast<size_t>(info.st_size) + 1, '\0');
    const ssize_t size = ::readlinkat(from, name.c_str(), target.data(), target.size());
    if (size < 0) return fail_errno("read link " + path, errno);
    if (size > info.st_size) return fail(Code::kAborted, path + " changed while it was copied");
    target.resize(static_cast<size_t>(size));
    made = ::symlinkat(target.c_str(), to, name.c_str());
  } else {
    made = ::mknodat(to, name.c_str(), info.st_mode, info.st_rdev);
  }
  if (made != 0) return errno == EEXIST ? taken(path) : fail_errno("create " + path, errno);
  if (is_root() && ::fchownat(to, name.c_str(), info.st_uid, info.st_gid, AT_SYMLINK_NOFOLLOW) != 0)
    return fail_errno("set the owner of " + path, errno);
  if (!S_ISLNK(info.st_mode) && ::fchmodat(to, name.c_str(), info.st_mode & 07777, 0) != 0)
    return fail_errno("set the mode of " + path, errno);
  const auto times = times_of(info);
  if (::utimensat(to, name.c_str(), times.data(), AT_SYMLINK_NOFOLLOW) != 0)
    return fail_errno("set the time of " + path, errno);
  return {};
}

Result<void> TreeCopier::count(uint64_t bytes) {
  if (options_.progress == nullptr) return {};
  options_.progress->done_bytes += bytes;
  return options_.progress->check();
}

}  // namespace

Result<CopyResult> copy_tree(const std::filesystem::path& from, const std::filesystem::path& to,
                             const CopyOptions& options) {
  const UniqueFd source(::open(from.c_str(), kFolderFlags));
  if (!source) return fail_errno("open folder " + from.string(), errno);
  const UniqueFd target(::open(to.c_str(), kFolderFlags));
  if (!target) return fail_errno("open folder " + to.string(), errno);
  Stat info{};
  if (::fstat(source.get(), &info) != 0) return fail_errno("stat " + from.string(), errno);
  TreeCopier copier(info.st_dev, target.get(), options);
  TRY(copier.copy_folder(source.get(), target.get(), info, ""));
  return copier.result();
}

}  // namespace manman::archive
