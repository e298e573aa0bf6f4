#include "game/runtime/output_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/file.h"

namespace manman {

Result<uint64_t> size_of_output(const std::filesystem::path& file) {
  struct stat info{};
  if (::stat(file.c_str(), &info) != 0) return fail_errno("stat " + file.string(), errno);
  return static_cast<uint64_t>(info.st_size);
}

Result<size_t> read_from_output(const std::filesystem::path& file, uint64_t offset,
                                MutableBytes buffer) {
  const UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!fd) return fail_errno("open " + file.string(), errno);
  for (;;) {
    const ssize_t count =
        ::pread(fd.get(), buffer.data(), buffer.size(), static_cast<off_t>(offset));
    if (count >= 0) return static_cast<size_t>(count);
    if (errno != EINTR) return fail_errno("read " + file.string(), errno);
  }
}

Result<void> limit_output(const std::filesystem::path& file, uint64_t limit) {
  constexpr uint64_t kBlock = 4096;  // less would only be overwritten with zeros
  const UniqueFd fd(::open(file.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
  if (!fd) return fail_errno("open " + file.string(), errno);
  struct stat info{};
  if (::fstat(fd.get(), &info) != 0) return fail_errno("stat " + file.string(), errno);
  const auto size = static_cast<uint64_t>(info.st_size);
  if (static_cast<uint64_t>(info.st_blocks) * 512 <= limit || size <= limit) return {};
  const uint64_t front = (size - limit / 2) / kBlock * kBlock;
  if (::fallocate(fd.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
                  static_cast<off_t>(front)) == 0)
    return {};
  if (errno == EOPNOTSUPP)
    return fail(Code::kUnimplemented,
                "the file system can't free the beginning of " + file.string());
  return fail_errno("free the beginning of " + file.string(), errno);
}

}  // namespace manman
