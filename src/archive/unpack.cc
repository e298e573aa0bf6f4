#include "archive/archive.h"
#include "archive/extractor.h"
#include "archive/scan.h"

namespace manman::archive {
namespace {

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
  const std::optional<Index> index = TRY(Index::open(archive));
  Budget budget(TRY(Budget::limits(dir, options, index.has_value())), archive.size());
  if (index && options.only.empty())
    TRY(budget.check(index->tail().data_size - index->tail().hole_size));
  Selection selection = TRY(Selection::find(archive, index, options));
  if (options.progress != nullptr && options.progress->total_bytes == 0)
    options.progress->total_bytes = selection.data_size();
  Warnings warnings;
  Extractor extractor = TRY(Extractor::create(dir, options, selection, budget, warnings));
  if (index) extractor.expect_no_path_twice();
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
  UnpackResult result{.entries = extractor.entries(),
                      .data_size_bytes = extractor.data_size(),
                      .indexed = index.has_value(),
                      .warnings = {}};
  warnings.move_to(result);
  return result;
}

}  // namespace manman::archive
