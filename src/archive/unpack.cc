#include <sys/statvfs.h>

#include <algorithm>
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
  // 0 would mean no limit.
  return free > kReserve ? free - kReserve : 1;
}

}  // namespace

Result<UnpackResult> unpack(RandomSource& archive, const std::filesystem::path& target,
                            const UnpackOptions& options) {
  const std::string dir = target.string();
  const uint64_t room =
      options.max_unpacked_bytes != 0 ? options.max_unpacked_bytes : TRY(room_in(dir));
  Budget budget(room, options.max_ratio, archive.size());
  const std::optional<Index> index = TRY(Index::open(archive));
  if (index && options.only.empty())
    TRY(budget.check_claim(index->tail().data_size - index->tail().hole_size));
  Selection selection = TRY(Selection::find(archive, index, options.only, options.progress));
  if (options.progress != nullptr && options.progress->total_bytes == 0)
    options.progress->total_bytes = selection.data_size();
  Extractor extractor = TRY(Extractor::create(dir, options, selection, budget));
  const ScanOptions scanning{.threads = options.threads,
                             .ranges = selection.ranges(),
                             .on_archive = {},
                             .progress = options.progress};
  TRY(scan(archive, index, scanning, extractor));
  TRY(extractor.finish());
  return UnpackResult{.entries = extractor.entries(),
                      .data_size_bytes = extractor.data_size(),
                      .indexed = index.has_value()};
}

}  // namespace manman::archive
