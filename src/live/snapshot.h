#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>

#include "base/error.h"

// A folder as it was at one moment, for reading it later at leisure.
namespace manman::live {

class Scratch;
class TreeClone;

enum class SnapshotNeed {
  kAtomic,     // somebody writes: it must be of one moment by itself
  kHeldStill,  // nobody writes until it is taken: files may be cloned one by one
};

enum class SnapshotKind {
  kReflink,    // a clone of each file, on the same blocks
  kSubvolume,  // of a btrfs subvolume, read-only
};

// Owns what a SnapshotTaker made, and removes it at the end.
class Snapshot {
 public:
  Snapshot(std::filesystem::path scratch, SnapshotKind kind);
  Snapshot(Snapshot&& other) noexcept;
  Snapshot& operator=(Snapshot&& other) = delete;
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;
  ~Snapshot();

  // What stands for the folder.
  std::filesystem::path path() const;
  SnapshotKind kind() const { return kind_; }
  // Removes it, and the scratch. After an error the destructor tries again.
  Result<void> remove();

 private:
  std::filesystem::path scratch_;  // empty: nothing to remove
  SnapshotKind kind_;
};

// Takes a snapshot of the folder `dir` into the folder `scratch`, which is made, beside it on the
// same file system; what stands there already is removed first. `threads` clone; 0: one per core.
// `stop` ends it with kCancelled.
class SnapshotTaker {
 public:
  SnapshotTaker(std::filesystem::path dir, std::filesystem::path scratch, int threads,
                std::function<bool()> stop);
  ~SnapshotTaker();
  SnapshotTaker(const SnapshotTaker&) = delete;
  SnapshotTaker& operator=(const SnapshotTaker&) = delete;

  // While the game goes on, what makes take() short: clones files, and has the file system write
  // what it still has to. Nothing else depends on it. Does nothing where there are no snapshots:
  // not on XFS and Btrfs.
  Result<void> prepare(SnapshotNeed need);
  // Once. None, and nothing is left, where that can't be done: no reflinks, no Btrfs subvolume or
  // one with others in it, something mounted below, a file that can't be cloned. What is not yet on
  // the disk is written there while blocks are shared.
  Result<std::optional<Snapshot>> take(SnapshotNeed need);

 private:
  Result<void> make_scratch();
  Result<bool> make(SnapshotNeed need, SnapshotKind& kind);

  const std::filesystem::path dir_;
  const std::filesystem::path scratch_path_;
  const int threads_;
  const std::function<bool()> stop_;
  std::unique_ptr<Scratch> scratch_;
  std::unique_ptr<TreeClone> clone_;
};

// Removes what a crash left of a snapshot, whole or not. Success when there is nothing.
Result<void> remove_snapshot(const std::filesystem::path& scratch);

}  // namespace manman::live
