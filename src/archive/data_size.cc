#include "archive/data_size.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "base/file.h"

namespace manman::archive {
namespace {

constexpr int kMaxDepth = 256;  // one descriptor is open per level
constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

struct CloseDir {
  void operator()(DIR* dir) const { ::closedir(dir); }
};

// `device`: stay on it; null: go everywhere.
Result<void> add_folder(int fd, int depth, const dev_t* device, const Progress& progress,
                        DataSize& size) {
  const std::unique_ptr<DIR, CloseDir> dir(::fdopendir(fd));
  if (!dir) {
    ::close(fd);
    return {};
  }
  while (const dirent* entry = ::readdir(dir.get())) {
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    TRY(progress.check());
    struct stat info{};
    if (::fstatat(::dirfd(dir.get()), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0) continue;
    size.entries++;
    if (S_ISREG(info.st_mode)) {
      size.file_bytes += static_cast<uint64_t>(info.st_size);
      size.allocated_bytes += static_cast<uint64_t>(info.st_blocks) * 512;
    }
    if (!S_ISDIR(info.st_mode) || depth >= kMaxDepth) continue;
    if (device != nullptr && info.st_dev != *device) continue;
    const int inner = ::openat(::dirfd(dir.get()), entry->d_name, kFlags);
    if (inner >= 0) TRY(add_folder(inner, depth + 1, device, progress, size));
  }
  return {};
}

}  // namespace

uint64_t DataSize::archive_upper_bound(ArchiveFormat format) const {
  // Data that does not compress grows by less than a quarter; holes shrink to less than a
  // two-hundredth, but are stored as zeros in a plain .tar; headers and index take less than 8 KiB
  // per entry; and some for new files.
  constexpr uint64_t kPerEntry = 8192;
  constexpr uint64_t kSpare = 64U << 20;
  const uint64_t stored =
      format == ArchiveFormat::kNone ? std::max(file_bytes, allocated_bytes) : allocated_bytes;
  return stored + stored / 4 + file_bytes / 200 + entries * kPerEntry + kSpare;
}

Result<DataSize> measure(const std::filesystem::path& dir, const Progress& progress,
                         bool cross_file_systems) {
  UniqueFd fd(::open(dir.c_str(), kFlags));
  struct stat info{};
  if (!fd || ::fstat(fd.get(), &info) != 0) return fail_errno("open folder " + dir.string(), errno);
  const dev_t* device = cross_file_systems ? nullptr : &info.st_dev;
  DataSize size;
  TRY(add_folder(fd.release(), 0, device, progress, size));
  return size;
}

}  // namespace manman::archive
