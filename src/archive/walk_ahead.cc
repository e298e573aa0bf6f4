#include "archive/walk_ahead.h"

#include <algorithm>

#include "archive/frame_reader.h"
#include "archive/manners.h"

namespace manman::archive {
namespace {

constexpr size_t kMaxItems = 64;
constexpr size_t kMaxContents = size_t{2} << 20;
// A folder stays open until the batches that name its files are done.
constexpr size_t kMaxFolders = 8;
// What is not in the page cache is waited for, so that more of them than cores are worth it; beside
// a game that may wait for the same disk they are not.
constexpr int kReadersPerThread = 4;
constexpr int kMaxReaders = 8;

std::optional<FileRead> read_file(WalkBatch& batch, Found& found, const PackOptions& options) {
  const auto trouble = open_file(found.parent->get(), found.name(), found.path, found);
  const UniqueFd file = std::move(found.file);
  const auto size = static_cast<uint64_t>(found.info.st_size);
  if (!trouble || !trouble->empty() || found.info.st_nlink > 1 || size > kSmallFile ||
      size > kMaxContents - batch.contents.size())
    return std::nullopt;
  bool all_well = true;
  FileRead read{.xattrs = read_xattrs(file.get(), XattrScope::kCarried,
                                      [&](const std::string&) { all_well = false; }),
                .begin = batch.contents.size()};
  batch.contents.resize(read.begin + size);
  const auto whole = read_or_zeros(file.get(), 0, MutableBytes(batch.contents).subspan(read.begin),
                                   found.path, options);
  if (!all_well || !whole || ::fstat(file.get(), &read.after) != 0) {
    batch.contents.resize(read.begin);
    return std::nullopt;
  }
  read.shrank = !*whole;
  return read;
}

}  // namespace

int walk_readers(const PackOptions& options) {
  const int threads = std::min(thread_count(options.threads), kMaxReaders);
  return options.background ? threads : std::min(threads * kReadersPerThread, kMaxReaders);
}

Result<void> WalkBatcher::add(Found found) {
  if (!batch_) {
    batch_ = TRY(pipeline_.make());
    batch_->items.clear();
    batch_->contents.clear();
    batch_->contents.reserve(kMaxContents);
    batch_->folders = 0;
  }
  const OpenFolder& folder = found.folder ? found.folder : found.parent;
  const bool is_same = !batch_->items.empty() && folder == batch_->items.back().found.parent;
  if (folder && !is_same) batch_->folders++;
  batch_->items.push_back({.found = std::move(found), .read = {}});
  if (batch_->items.size() < kMaxItems && batch_->folders < kMaxFolders) return {};
  return flush();
}

Result<void> WalkBatcher::flush() {
  return batch_ ? pipeline_.push(std::move(batch_)) : Result<void>();
}

Result<void> read_batch(WalkBatch& batch, const PackOptions& options) {
  for (WalkBatch::Item& item : batch.items) {
    if (options.progress != nullptr) TRY(options.progress->check());
    if (item.found.parent) item.read = read_file(batch, item.found, options);
  }
  return {};
}

}  // namespace manman::archive
