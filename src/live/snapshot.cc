#include "live/snapshot.h"

#include <fcntl.h>
#include <linux/btrfs.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/file.h"
#include "base/log.h"
#include "live/scratch.h"
#include "live/tree_clone.h"

namespace manman::live {
namespace {
namespace fs = std::filesystem;

constexpr const char* kClone = "clone";
constexpr const char* kSubvolume = "subvolume";
constexpr ino_t kSubvolumeInode = 256;

const char* name_of(SnapshotKind kind) {
  return kind == SnapshotKind::kReflink ? kClone : kSubvolume;
}

Result<UniqueFd> open_folder(const fs::path& dir) {
  UniqueFd fd(::open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd) return fail_errno("open folder " + dir.string(), errno);
  return fd;
}

bool is_subvolume(int folder) {
  struct statfs facts{};
  struct stat info{};
  return ::fstatfs(folder, &facts) == 0 && ::fstat(folder, &info) == 0 &&
         facts.f_type == BTRFS_SUPER_MAGIC && info.st_ino == kSubvolumeInode;
}

// Those are empty folders in a snapshot.
bool has_subvolumes(int subvolume) {
  btrfs_ioctl_get_subvol_rootref_args args{};
  return ::ioctl(subvolume, BTRFS_IOC_GET_SUBVOL_ROOTREF, &args) != 0 || args.num_items > 0;
}

bool snapshot_subvolume(int subvolume, int scratch) {
  if (!is_subvolume(subvolume) || has_subvolumes(subvolume)) return false;
  btrfs_ioctl_vol_args_v2 args{};
  args.fd = subvolume;
  args.flags = BTRFS_SUBVOL_RDONLY;
  std::strcpy(args.name, kSubvolume);
  return ::ioctl(scratch, BTRFS_IOC_SNAP_CREATE_V2, &args) == 0;
}

// Two files of the scratch tell of all.
Result<bool> can_clone(const Scratch& scratch) {
  const UniqueFd one = TRY(scratch.nameless_file());
  const UniqueFd other = TRY(scratch.nameless_file());
  TRY(write_all(one.get(), as_bytes("x"), scratch.path().string()));
  return clone_file(one.get(), other.get());
}

// Not for reading it later, but for what is taken of it next: that has to be on the disk then.
Result<bool> write_out(const fs::path& dir) {
  const UniqueFd folder = TRY(open_folder(dir));
  struct statfs kind{};
  if (::fstatfs(folder.get(), &kind) != 0) return fail_errno("look at " + dir.string(), errno);
  if (kind.f_type != XFS_SUPER_MAGIC && kind.f_type != BTRFS_SUPER_MAGIC) return false;
  if (::syncfs(folder.get()) != 0) return fail_errno("write out " + dir.string(), errno);
  return true;
}

// One that can't be removed as such is emptied and removed as a folder.
void remove_subvolume(const fs::path& scratch) {
  const auto parent = open_folder(scratch);
  const auto subvolume = open_folder(scratch / kSubvolume);
  if (!parent || !subvolume || !is_subvolume(subvolume->get())) return;
  btrfs_ioctl_vol_args args{};
  std::strcpy(args.name, kSubvolume);
  if (::ioctl(parent->get(), BTRFS_IOC_SNAP_DESTROY, &args) == 0) return;
  uint64_t flags = 0;  // not read-only
  (void)::ioctl(subvolume->get(), BTRFS_IOC_SUBVOL_SETFLAGS, &flags);
}

}  // namespace

Snapshot::Snapshot(fs::path scratch, SnapshotKind kind)
    : scratch_(std::move(scratch)), kind_(kind) {}

Snapshot::Snapshot(Snapshot&& other) noexcept
    : scratch_(std::exchange(other.scratch_, {})), kind_(other.kind_) {}

Snapshot::~Snapshot() {
  if (const auto removed = remove(); !removed) log_warn({}, "{}", removed.error().text());
}

fs::path Snapshot::path() const {
  return scratch_ / name_of(kind_);
}

Result<void> Snapshot::remove() {
  if (scratch_.empty()) return {};
  TRY(remove_snapshot(scratch_));
  scratch_.clear();
  return {};
}

SnapshotTaker::SnapshotTaker(fs::path dir, fs::path scratch, int threads,
                             std::function<bool()> stop)
    : dir_(std::move(dir)),
      scratch_path_(std::move(scratch)),
      threads_(threads),
      stop_(std::move(stop)) {}

SnapshotTaker::~SnapshotTaker() = default;

Result<void> SnapshotTaker::make_scratch() {
  if (scratch_) return {};
  TRY(remove_snapshot(scratch_path_));
  scratch_ = TRY(Scratch::make(scratch_path_));
  return {};
}

Result<void> SnapshotTaker::prepare(SnapshotNeed need) {
  if (!TRY(write_out(dir_)) || need == SnapshotNeed::kAtomic) return {};
  const UniqueFd folder = TRY(open_folder(dir_));
  if (is_subvolume(folder.get()) && !has_subvolumes(folder.get())) return {};
  TRY(make_scratch());
  if (!TRY(can_clone(*scratch_))) return {};
  clone_ = std::make_unique<TreeClone>(dir_, scratch_path_ / kClone, threads_, stop_);
  TRY(clone_->prepare());
  TRY(write_out(dir_));
  return {};
}

Result<std::optional<Snapshot>> SnapshotTaker::take(SnapshotNeed need) {
  TRY(make_scratch());
  SnapshotKind kind{};
  const auto made = make(need, kind);
  if (!made || !*made) scratch_.reset();
  if (!TRY(made)) return std::nullopt;
  scratch_->keep();
  return Snapshot(scratch_path_, kind);
}

Result<bool> SnapshotTaker::make(SnapshotNeed need, SnapshotKind& kind) {
  const UniqueFd folder = TRY(open_folder(dir_));
  kind = SnapshotKind::kSubvolume;
  if (snapshot_subvolume(folder.get(), scratch_->folder())) return true;
  kind = SnapshotKind::kReflink;
  if (need == SnapshotNeed::kAtomic || !TRY(can_clone(*scratch_))) return false;
  if (!clone_) clone_ = std::make_unique<TreeClone>(dir_, scratch_path_ / kClone, threads_, stop_);
  return clone_->make();
}

Result<void> remove_snapshot(const fs::path& scratch) {
  remove_subvolume(scratch);
  return remove_tree(scratch);
}

}  // namespace manman::live
