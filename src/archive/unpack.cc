#include <sys/statvfs.h>

#include <cerrno>

#include "archive/archive.h"
#include "archive/extractor.h"
#include "archive/scan.h"

namespace manman::archive {
namespace {

// Left free on the target's file system, so that others can go on.
constexpr uint64_t kReserve = uint64_t{64} << 20;

Result<uint64_t> room_in(const std::string& target) {
  struct statvfs info{};
  if (::statvfs(target.c_str(), &info) != 0) return fail_errno("look at " + target, errno);
  const uint64_t free = static_cast<uint64_t>(info.f_bavail) * info.f_frsize;
  return free > kReserve ? free - kReserve : 0;
}

Result<void> check_hash(const Sha256Digest& found, const Sha256Digest& expected) {
  if (found == expected) return {};
  return fail(Code::kDataLoss, "this is not the archive that was stored: its SHA-256 is " +
                                   to_hex(found) + ", not " + to_hex(expected));
}

}  // namespace

Result<UnpackResult> unpack(RandomSource& archive, const std::filesystem::path& target,
                            const UnpackOptions& options) {
  if (options.expected_sha256 && !options.only.empty())
    return fail(Code::kInvalidArgument, "a part of an archive can't be held against its SHA-256");
  const std::string dir = target.string();
  const Budget::Limits limits {
    .max_bytes = options.max_unpacked_bytes, .free_bytes = TRY(room_in(dir))
    , .max_ratio = options.max_ratio
  };
  Budget budget(limits, archive.size());
  const std::optional<Index> index = TRY(Index::open(archive));
  if (index && options.only.empty())
    TRY(budget.check(index->tail().data_size - index->tail().hole_size));
  Selection selection = TRY(Selection::find(archive, index, options.only, options.progress));
  if (options.progress != nullptr && options.progress->total_bytes == 0)
    options.progress->total_bytes = selection.data_size();
  Extractor extractor = TRY(Extractor::create(dir, options, selection, budget));
  ScanOptions scanning{.threads = options.threads,
                       .ranges = selection.ranges(),
                       .on_archive = {},
                       .progress = options.progress};
  Sha256 hash;
  if (options.expected_sha256)
    scanning.on_archive = [&hash](ConstBytes bytes) { hash.update(bytes); };
  TRY(scan(archive, index, scanning, extractor));
  if (options.expected_sha256) TRY(check_hash(hash.finish(), *options.expected_sha256));
  TRY(extractor.finish());
  return UnpackResult{.entries = extractor.entries(),
                      .data_size_bytes = extractor.data_size(),
                      .indexed = index.has_value()};
}

}  // namespace manman::archive
