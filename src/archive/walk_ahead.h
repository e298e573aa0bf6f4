#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <optional>
#include <vector>

#include "archive/format.h"
#include "archive/ordered_pipeline.h"
#include "archive/tree_walker.h"
#include "archive/xattrs.h"

// Small files are read by several threads before the planner of an archive comes to them: each
// costs a handful of system calls, and on a cold disk a wait.
namespace manman::archive {

// Files up to this size go into frames whole, without a descriptor that stays open: a frame may
// hold hundreds of them. Nobody looks whether they are zeros.
inline constexpr uint64_t kSmallFile = format::kMaxUnmarkedZeros;

// A small file, read whole.
struct FileRead {
  Xattrs xattrs;
  size_t begin = 0;     // of its contents, in the batch; as many bytes as it had when it was opened
  bool shrank = false;  // what it no longer had is zeros
  struct stat after{};  // once it was read
};

// Some of what a walk came upon, in its order.
struct WalkBatch {
  struct Item {
    Found found;                   // a regular file is only named ...
    std::optional<FileRead> read;  // ... unless it was read: then its info is whole
  };
  std::vector<Item> items;
  size_t folders = 0;  // that the items keep open, at most
  std::vector<std::byte> contents;
};

// The producer's side is a walker's thread, the workers read, the owner takes batches out.
using WalkPipeline = OrderedPipeline<WalkBatch>;

// How many threads read, and how many batches there are at a time. Each holds 2 MiB of contents at
// most.
int walk_readers(const PackOptions& options);
inline constexpr size_t kWalkWindow = 12;

// Gathers what a walk visits into batches.
class WalkBatcher {
 public:
  explicit WalkBatcher(WalkPipeline& pipeline) : pipeline_(pipeline) {}
  Result<void> add(Found found);
  Result<void> flush();

 private:
  WalkPipeline& pipeline_;
  std::unique_ptr<WalkBatch> batch_;
};

// Reads the batch's small files, as the options want it. Only names are left of one that is not
// small, does not fit, is linked more than once, or gives any trouble: whoever comes to it next
// meets that, too.
// kCancelled as soon as the options' progress says so.
Result<void> read_batch(WalkBatch& batch, const PackOptions& options);

}  // namespace manman::archive
