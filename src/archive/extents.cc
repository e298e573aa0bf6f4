#include "archive/extents.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace manman::archive {

Extent next_data(int fd, uint64_t from, uint64_t size) {
  const off_t begin = ::lseek(fd, static_cast<off_t>(from), SEEK_DATA);
  if (begin < 0) return errno == ENXIO ? Extent{size, size} : Extent{from, size};
  const off_t end = ::lseek(fd, begin, SEEK_HOLE);
  const uint64_t start = std::min(static_cast<uint64_t>(begin), size);
  if (end <= begin) return {start, size};
  return {start, std::min(static_cast<uint64_t>(end), size)};
}

}  // namespace manman::archive
