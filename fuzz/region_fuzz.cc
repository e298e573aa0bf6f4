#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "examine/nbt.h"
#include "examine/region.h"
#include "fuzz/check.h"

// A region file, and the same bytes as NBT: the examination ends, and finds what can't be.
using namespace manman;
using namespace manman::examine;

namespace {

// A file in memory, the same for all inputs.
int file_of(const uint8_t* data, size_t size) {
  static const int fd = ::memfd_create("region", MFD_CLOEXEC);
  CHECK(fd >= 0 && ::ftruncate(fd, 0) == 0);
  CHECK(::pwrite(fd, data, size, 0) == static_cast<ssize_t>(size));
  return fd;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static Workspace work;
  const int fd = file_of(data, size);
  struct stat info{};
  CHECK(::fstat(fd, &info) == 0);
  Report report;
  Findings findings(report, "r.0.0.mca");
  CHECK(examine_region(fd, info, -1, work, nullptr, findings));
  CHECK(report.chunks <= 1024 && report.problem_count <= 3 * 1024);
  CHECK(size == 0 || size >= 8192 || report.problem_count == 1);
  const uint64_t before = report.problem_count;
  CHECK(examine_nbt(fd, info, work, findings));
  // A tag that stands there is a compound.
  CHECK(report.problem_count > before || size >= 4);
  CHECK(::fstat(fd, &info) == 0 && info.st_size == static_cast<off_t>(size));
  return 0;
}
