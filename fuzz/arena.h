#pragma once

#include <filesystem>

#include "base/error.h"

namespace manman::archive::fuzz {

// A folder to unpack into, in memory where the machine has /dev/shm, with others round it that hold
// what must stay as it is. One in a process; removed at its end.
class Arena {
 public:
  Arena();
  ~Arena();
  const std::filesystem::path& target() const { return target_; }
  // A finding when anything stands, is missing or has changed outside of the target. The target
  // is then empty again.
  void check_and_clear();

 private:
  std::filesystem::path root_;
  std::filesystem::path target_;
};

// While one lives, system calls that change the tree are watched: each must name one part below an
// open folder and follow no link. Anything else is a finding. (See wrapped_calls.cc.)
class WatchCalls {
 public:
  WatchCalls();
  ~WatchCalls();
};

}  // namespace manman::archive::fuzz
