#pragma once

#include <functional>
#include <string>
#include <vector>

#include "archive/archive.h"
#include "archive/spool.h"
#include "archive/xattrs.h"

namespace manman::archive {

// Remembers what folders shall look like once all stands in them. Memory is bounded: the records
// are spooled.
class FolderSpool {
 public:
  // `entry.path` is that below the target, "." for the target itself.
  Result<void> add(const Entry& entry, const Xattrs& xattrs);
  // Visits all, deepest first; among those of one depth in the order of adding, so that the last
  // word on a folder comes last.
  Result<void> visit(const std::function<Result<void>(const Entry&, const Xattrs&)>& visit) const;

 private:
  struct List {
    uint64_t first = 0;
    uint64_t last = 0;
  };
  std::vector<List> by_depth_;  // offsets plus one; 0: none
  Spool records_;
};

}  // namespace manman::archive
