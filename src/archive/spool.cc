#include "archive/spool.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "archive/bytes.h"

namespace manman::archive {
namespace {

Result<UniqueFd> open_nameless() {
  const char* folder = std::getenv("TMPDIR");
  if (folder == nullptr || *folder == '\0') folder = "/tmp";
  UniqueFd fd(::open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (fd) return fd;
  // Not every file system can make a file without a name.
  std::string name = std::string(folder) + "/manman-spool-XXXXXX";
  fd = UniqueFd(::mkostemp(name.data(), O_CLOEXEC));
  if (!fd) return fail_errno("create a temporary file in " + std::string(folder), errno);
  ::unlink(name.c_str());
  return fd;
}

Result<void> write_at(int fd, uint64_t offset, ConstBytes bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail_errno("write a temporary file", errno);
    bytes = bytes.subspan(static_cast<size_t>(count));
    offset += static_cast<uint64_t>(count);
  }
  return {};
}

Result<void> fill_from(int fd, uint64_t offset, MutableBytes buffer) {
  while (!buffer.empty()) {
    const ssize_t count = ::pread(fd, buffer.data(), buffer.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail_errno("read a temporary file", errno);
    if (count == 0) return fail(Code::kInternal, "a temporary file is shorter than written");
    buffer = buffer.subspan(static_cast<size_t>(count));
    offset += static_cast<uint64_t>(count);
  }
  return {};
}

}  // namespace

Result<void> Spool::spill() {
  if (!file_) file_ = TRY(open_nameless());
  TRY(write_at(file_.get(), file_size_, as_bytes(memory_)));
  file_size_ += memory_.size();
  memory_.clear();
  return {};
}

Result<void> Spool::append(ConstBytes bytes) {
  memory_ += as_text(bytes);
  if (memory_.size() > memory_limit_) return spill();
  return {};
}

Result<void> Spool::read_at(uint64_t offset, MutableBytes buffer) const {
  if (offset < file_size_) {
    const size_t in_file = std::min<uint64_t>(buffer.size(), file_size_ - offset);
    TRY(fill_from(file_.get(), offset, buffer.first(in_file)));
    buffer = buffer.subspan(in_file);
    offset += in_file;
  }
  if (!buffer.empty())
    std::memcpy(buffer.data(), memory_.data() + (offset - file_size_), buffer.size());
  return {};
}

Result<void> Spool::overwrite(uint64_t offset, ConstBytes bytes) {
  if (offset < file_size_) {
    const size_t in_file = std::min<uint64_t>(bytes.size(), file_size_ - offset);
    TRY(write_at(file_.get(), offset, bytes.first(in_file)));
    bytes = bytes.subspan(in_file);
    offset += in_file;
  }
  if (!bytes.empty())
    std::memcpy(memory_.data() + (offset - file_size_), bytes.data(), bytes.size());
  return {};
}

Result<void> Spool::copy_to(Sink& out) const {
  std::vector<std::byte> buffer(std::min<uint64_t>(size(), 256 * 1024));
  for (uint64_t offset = 0; offset < size();) {
    const size_t count = std::min<uint64_t>(buffer.size(), size() - offset);
    TRY(read_at(offset, MutableBytes(buffer).first(count)));
    TRY(out.write(ConstBytes(buffer).first(count)));
    offset += count;
  }
  return {};
}

}  // namespace manman::archive
