#pragma once

#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <string>

#include "base/error.h"
#include "base/stream.h"

namespace manman::examine {

// Fills the buffer from an offset of an open file, as far as it goes; how many bytes that are.
inline Result<size_t> read_bytes(int fd, uint64_t offset, MutableBytes buffer,
                                 const std::string& name) {
  size_t done = 0;
  while (done < buffer.size()) {
    const ssize_t count =
        ::pread(fd, buffer.data() + done, buffer.size() - done, static_cast<off_t>(offset + done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail_errno("read " + name, errno);
    if (count == 0) break;
    done += static_cast<size_t>(count);
  }
  return done;
}

}  // namespace manman::examine
