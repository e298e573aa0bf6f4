#include "host/unpack_backup.h"

#include <sys/stat.h>

#include <cerrno>
#include <limits>
#include <memory>
#include <utility>

#include "archive/archive.h"
#include "base/file.h"
#include "domain/object_url.h"
#include "store/store.h"

namespace manman::host {
namespace {

// The archive as the row names it.
Result<std::unique_ptr<RandomSource>> open_archive(Store& store, const StoredBackup& backup,
                                                   bool in_order) {
  const ObjectUrl url = TRY(ObjectUrl::parse(backup.s3_url));
  if (url.bucket != store.bucket())
    return fail(Code::kFailedPrecondition, backup.s3_url + " is in bucket " + url.bucket +
                                               ", this host's store is bucket " + store.bucket());
  auto source = TRY(in(backup.s3_url, in_order ? open_object_in_order(store, url.key)
                                               : open_object(store, url.key)));
  const auto expected = static_cast<uint64_t>(backup.size_bytes);
  if (expected > 0 && source->size() != expected)
    return fail(Code::kDataLoss, backup.s3_url + " has " + std::to_string(source->size()) +
                                     " bytes, the backup had " + std::to_string(expected));
  return source;
}

}  // namespace

Result<void> unpack_backup(Context& context, Job& job, const StoredBackup& backup,
                           const std::filesystem::path& target,
                           const std::vector<std::string>& only) {
  const auto source = TRY(open_archive(*context.store, backup, only.empty()));
  if (::mkdir(target.c_str(), 0755) != 0) return fail_errno("create " + target.string(), errno);
  archive::UnpackOptions options;
  options.threads = context.config.threads;
  options.strip_prefix = kSaveData;
  options.only = only;
  options.with_parents = !only.empty();
  // Of a part each frame is checked, but not the whole.
  if (!backup.sha256.empty() && only.empty())
    options.expected_sha256 = TRY(sha256_from_hex(backup.sha256));
  // Where the row says how much there is, that is the limit, however well it compressed; what the
  // entries themselves cost comes on top.
  if (backup.data_bytes > 0) {
    options.max_unpacked_bytes =
        static_cast<uint64_t>(backup.data_bytes) + source->size() * archive::kUsualMaxRatio;
    options.max_ratio = std::numeric_limits<uint32_t>::max();
  }
  options.progress = &job.progress;
  job.progress.done_bytes = 0;
  auto unpacked = archive::unpack(*source, target, options);
  if (!unpacked) return std::unexpected(std::move(unpacked).error().in(backup.s3_url));
  log_info(job.about, "unpacked {} entries, {} bytes from {}", unpacked->entries,
           unpacked->data_size_bytes, backup.s3_url);
  log_warnings(job.about, *unpacked);
  return {};
}

}  // namespace manman::host
