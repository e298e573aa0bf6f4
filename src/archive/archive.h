#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/compression.h"
#include "base/error.h"
#include "base/progress.h"
#include "base/rate_limiter.h"
#include "base/sha256.h"
#include "base/stream.h"

// Archives of save data: docs/formats/archive.md. Every function here may be called from any
// thread, uses `threads` threads of its own, and memory bounded by its options, whatever the size
// of the data, of a file, or the number of entries.
namespace manman::archive {

enum class EntryKind { kFile, kFolder, kSymlink, kHardLink };
std::string_view to_text(EntryKind kind);  // "file", "folder", "symlink", "hardlink"
std::optional<EntryKind> entry_kind_from(std::string_view text);

struct Entry {
  std::string path;  // as in the archive: "game/world/r.0.0.mca"; any bytes but NUL
  EntryKind kind = EntryKind::kFile;
  uint64_t size_bytes = 0;  // of a file's contents
  uint32_t mode = 0;        // permission bits, at most 07777
  uint32_t uid = 0;
  uint32_t gid = 0;
  int64_t mtime_s = 0;
  uint32_t mtime_ns = 0;
  std::string link_target;  // of a symlink, or the path of the entry that a hard link names
};

class FileChoice;

inline constexpr size_t kMaxOriginBytes = 65'000;

struct PackOptions {
  Compression compression;
  int threads = 0;              // 0: one per core
  std::string prefix = "game";  // the folder that entries stand under
  // Take in what is mounted in the folder, too; otherwise such a folder is empty in the archive,
  // and named.
  bool cross_file_systems = false;
  // Give way to everything else on the machine: idle I/O class and low CPU weight for the threads
  // that read and compress, and the page cache is left as it was.
  bool background = false;
  // What is not taken in, with all below it: patterns as in gitignore(5), relative to the folder,
  // the last that matches counts. One that can't be one is kInvalidArgument. See
  // base/path_patterns.h.
  std::vector<std::string> leave_out;
  bool hash_whole = true;  // for the result's `sha256`; every frame is hashed in any case
  // Asked what to take of each regular file (file_choice.h); null: all as it is.
  FileChoice* files = nullptr;
  // Where the archive comes from, as JSON; stands in its index and is not looked at here. "": it
  // does not say. At most kMaxOriginBytes.
  std::string origin;
  RateLimiter* read_limit = nullptr;  // of what is read of files; may be shared
  Progress* progress = nullptr;
};

struct PackResult {
  uint64_t archive_size_bytes = 0;
  uint64_t data_size_bytes = 0;  // contents of all files
  uint64_t entries = 0;
  Sha256Digest sha256{};  // of the whole archive; zeros without hash_whole
  // What is not in the archive as it stood, by name and why: special files skipped, files that
  // vanished, grew, shrank or changed while read. The first 100; warning_count counts all.
  std::vector<std::string> warnings;
  uint64_t warning_count = 0;
  // The paths of those that vanished, grew, shrank or changed while read. The first 100;
  // changed_count counts all.
  std::vector<std::string> changed;
  uint64_t changed_count = 0;
  // Files, links and folders that `leave_out` and `files` kept out; what is below such a folder is
  // not counted.
  uint64_t left_out = 0;
};

// Writes the folder `dir` as an archive into `out`. A file that can't be read (permission, I/O
// error) fails the whole with its name; one that shrinks is padded with zeros and named.
Result<PackResult> pack(const std::filesystem::path& dir, Sink& out, const PackOptions& options);

// What honest archives of game data stay far below.
inline constexpr uint32_t kUsualMaxRatio = 250;

struct UnpackOptions {
  int threads = 0;
  // Only entries at or below these paths of the archive; all when empty. One that matches nothing
  // is kNotFound.
  std::vector<std::string> only;
  // With `only`: also the folders above those paths, without what else is in them, so that those
  // that are made have their own mode, owner and time.
  bool with_parents = false;
  // Entries must stand under this first folder, which is taken off: with "game", game/a/b lands in
  // TARGET/a/b. "": paths are kept as they are.
  std::string strip_prefix;
  bool owners = true;  // set owners; only root can, others go without
  bool xattrs = true;  // set extended attributes and ACLs
  // Set setuid and setgid bits and file capabilities; otherwise they are dropped and named.
  bool keep_special_bits = false;
  // More bytes of files than this are refused, and more than the target's file system has free. 0:
  // only the latter.
  uint64_t max_unpacked_bytes = 0;
  // An archive may not unpack to more than this many times its own size, holes of sparse files
  // not counted, once past 64 MiB. 0: kUsualMaxRatio, and with a good index as much as that says.
  uint32_t max_ratio = 0;
  // The hash that the whole archive is known to have; another is kDataLoss. Not with `only`, which
  // does not read all of it.
  std::optional<Sha256Digest> expected_sha256;
  Progress* progress = nullptr;
};

struct UnpackResult {
  uint64_t entries = 0;
  uint64_t data_size_bytes = 0;
  bool indexed = false;  // read by its index, in parallel; otherwise as one stream
  // What stands there otherwise than in the archive: attributes that the file system refused,
  // special bits that were dropped. The first 100; warning_count counts all.
  std::vector<std::string> warnings;
  uint64_t warning_count = 0;
};

// Unpacks any .tar.gz, .tar.zst or .tar into the folder `target`, which is there already. Nothing
// is written outside it. Checks everything on the way: hashes of frames, the stream's CRC and
// sizes, the index against the stream. An entry that would leave the target, a device, a fifo or an
// unknown kind, a bad checksum or a stream cut short is an error naming it (kDataLoss for damage,
// kInvalidArgument for what is refused); what was unpacked by then is left for the caller to
// remove. Data is not synced.
Result<UnpackResult> unpack(RandomSource& archive, const std::filesystem::path& target,
                            const UnpackOptions& options);

struct SalvageResult {
  uint64_t entries = 0;  // unpacked
  uint64_t data_size_bytes = 0;
  bool indexed = false;
  uint64_t lost_entries = 0;
  // What is wrong with the archive; empty when nothing was found.
  std::string damage;
  // False: the archive has no good index, and damage took entries whose names nobody knows.
  bool to_the_end = true;
  // Every byte that was unpacked was checked by a hash or checksum.
  bool vouched = true;
  std::vector<std::string> warnings;  // as UnpackResult's
  uint64_t warning_count = 0;
};

// Unpacks as unpack() does, but only what damage has left whole, and calls on_lost for every entry
// that it has not. With a good index that is every entry that no damaged frame touches, each of
// them checked; all frames are read twice. Without one, an archive of this format is read frame by
// frame, over the damaged ones, and one made elsewhere as one stream up to the damage; kDataLoss
// when nothing could be unpacked. A hard link to a file that is lost is lost too.
// What unpack() refuses is an error here, and so are a disk or network that fails. Takes no `only`
// and no `expected_sha256`.
Result<SalvageResult> salvage(RandomSource& archive, const std::filesystem::path& target,
                              const UnpackOptions& options,
                              const std::function<void(const Entry&)>& on_lost);

// What list() and cat() do with an archive that has no index: read all of it, or give up at once
// with kFailedPrecondition.
enum class WithoutIndex { kReadAll, kRefuse };

// Calls visit for every entry in the order of the archive until it returns false. With an index
// only that is read.
Result<void> list(RandomSource& archive, const std::function<bool(const Entry&)>& visit,
                  WithoutIndex without = WithoutIndex::kReadAll);

// What the archive's index says of where it comes from. "" when it does not, when it has no index,
// and when that is damaged. Only the index is read.
Result<std::string> origin(RandomSource& archive);

struct VerifyResult {
  uint64_t entries = 0;
  uint64_t frames = 0;  // 0 without an index
  uint64_t data_size_bytes = 0;
  bool indexed = false;
  Sha256Digest sha256{};
};

// Reads everything and checks all that unpack() checks, writing nothing. The error of a damaged
// frame is that of the first one, and names where it stands and what it holds.
Result<VerifyResult> verify(RandomSource& archive, int threads, Progress* progress);

// The contents of one file of the archive, in order, into out. With an index only the frames that
// hold it are read. A hard link gives the file that it names. No such path is kNotFound; not a
// file is kInvalidArgument.
Result<void> cat(RandomSource& archive, std::string_view path, Sink& out,
                 WithoutIndex without = WithoutIndex::kReadAll);

}  // namespace manman::archive
