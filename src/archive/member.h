#pragma once

#include "archive/archive.h"
#include "archive/xattrs.h"
#include "base/stream.h"

namespace manman::archive {

// An entry as it stands in a tar stream.
struct Member {
  Entry entry;
  Xattrs xattrs;               // of a file or folder
  bool sparse = false;         // restore holes
  uint64_t header_offset = 0;  // of its first header block in the stream
  uint64_t data_offset = 0;    // of its contents
};

// Takes the members of a tar stream in order: begin, data…, end.
class MemberVisitor {
 public:
  virtual ~MemberVisitor() = default;
  // False ends the reading.
  virtual Result<bool> begin(const Member& member) = 0;
  // Contents of the member at an offset of the file, ascending. What is not given is a hole.
  virtual Result<void> data(uint64_t offset, ConstBytes bytes) = 0;
  virtual Result<void> end() = 0;
};

}  // namespace manman::archive
