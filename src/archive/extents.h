#pragma once

#include <cstdint>

namespace manman::archive {

// A run of data of a file between holes.
struct Extent {
  uint64_t begin;
  uint64_t end;
};

// The data of an open file of `size` bytes that starts at or after `from`; begin and end are the
// file's end when only a hole follows. A file system that can't tell has data everywhere.
Extent next_data(int fd, uint64_t from, uint64_t size);

}  // namespace manman::archive
