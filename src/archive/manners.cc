#include "archive/manners.h"

#include <fcntl.h>
#include <linux/ioprio.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>

namespace manman::archive {
namespace {

// A tenth of the weight of a thread that has not asked for less.
constexpr int kNiceness = 10;

uint64_t page_size() {
  static const auto size = static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
  return size;
}

}  // namespace

void give_way() {
  const auto self = static_cast<id_t>(::gettid());
  (void)::syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, self,
                  IOPRIO_PRIO_VALUE(IOPRIO_CLASS_IDLE, 0));
  const sched_param none{};
  (void)::sched_setscheduler(static_cast<pid_t>(self), SCHED_BATCH, &none);
  // On Linux, of one thread. Who came with a lower weight keeps it.
  const int present = ::getpriority(PRIO_PROCESS, self);
  if (present < kNiceness) (void)::setpriority(PRIO_PROCESS, self, kNiceness);
}

Result<bool> read_or_zeros(int fd, uint64_t offset, MutableBytes buffer, const std::string& name,
                           const PackOptions& options) {
  if (options.read_limit != nullptr) TRY(options.read_limit->take(buffer.size(), options.progress));
  std::optional<PageGuard> guard;
  if (options.background) guard.emplace(fd, offset, buffer.size());
  while (!buffer.empty()) {
    const ssize_t count = ::pread(fd, buffer.data(), buffer.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail_errno("read " + name, errno);
    if (count == 0) {
      std::ranges::fill(buffer, std::byte{0});
      return false;
    }
    buffer = buffer.subspan(static_cast<size_t>(count));
    offset += static_cast<uint64_t>(count);
  }
  return true;
}

bool has_changed(const struct stat& before, const struct stat& now) {
  const auto same = [](const timespec& a, const timespec& b) {
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
  };
  // A writer may set mtime back, but not ctime.
  return now.st_size != before.st_size || !same(now.st_mtim, before.st_mtim) ||
         !same(now.st_ctim, before.st_ctim);
}

PageGuard::PageGuard(int fd, uint64_t offset, uint64_t size) : fd_(fd) {
  if (size == 0) return;
  (void)::posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM);
  begin_ = offset / page_size() * page_size();
  const size_t length = offset + size - begin_;
  void* map = ::mmap(nullptr, length, PROT_READ, MAP_SHARED, fd, static_cast<off_t>(begin_));
  if (map == MAP_FAILED) return;
  resident_.resize((length + page_size() - 1) / page_size());
  if (::mincore(map, length, resident_.data()) != 0) resident_.clear();
  ::munmap(map, length);
}

PageGuard::~PageGuard() {
  const auto is_new = [](unsigned char page) { return (page & 1) == 0; };
  for (auto at = resident_.begin(); at != resident_.end();) {
    const auto first = std::find_if(at, resident_.end(), is_new);
    at = std::find_if_not(first, resident_.end(), is_new);
    if (first == at) break;
    (void)::posix_fadvise(
        fd_,
        static_cast<off_t>(begin_ + static_cast<uint64_t>(first - resident_.begin()) * page_size()),
        static_cast<off_t>(static_cast<uint64_t>(at - first) * page_size()), POSIX_FADV_DONTNEED);
  }
}

}  // namespace manman::archive
