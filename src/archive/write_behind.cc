#include "archive/write_behind.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <system_error>
#include <utility>

#include "archive/frame_reader.h"

namespace manman::archive {
namespace {

// That are open at a time because something of them waits to be written.
constexpr size_t kMaxOpenFiles = 128;
// More than cores, since a large file is mostly waited for.
constexpr int kExtraThreads = 2;

}  // namespace

WriteBehind::WriteBehind(const Metadata& metadata, int threads) : metadata_(metadata) {
  const int wanted = thread_count(threads) + kExtraThreads;
  auto state = state_.lock();
  const int blocks = 2 * wanted;
  max_parts_ = std::max<size_t>(kMaxOpenFiles / blocks, 1);
  for (int i = 0; i < blocks; i++) state->spare.push_back(std::make_unique<Block>());
  try {
    for (int i = 0; i < wanted; i++) threads_.emplace_back([this] { work(); });
  } catch (const std::system_error& error) {
    // Fewer do as well.
    if (threads_.empty())
      state->error =
          Error{Code::kResourceExhausted, std::string("start a thread: ") + error.what()};
  }
}

WriteBehind::~WriteBehind() {
  state_.lock()->stopped = true;
  state_.notify_all();
  threads_.clear();  // joins
}

void WriteBehind::begin(std::unique_ptr<FileWriter> writer) {
  file_ = std::make_shared<File>();
  file_->writer = std::move(writer);
}

bool WriteBehind::has_part_at_end() const {
  return block_ && !block_->parts.empty() && block_->parts.back().file == file_;
}

// In memory the part stands as it does in its file, as far as alignment goes.
Result<void> WriteBehind::begin_part(uint64_t offset) {
  constexpr size_t kUnit = FileWriter::kAlignment;
  const auto next = [&] { return (block_->used + kUnit - 1) / kUnit * kUnit + offset % kUnit; };
  if (block_ && next() >= kBlockSize) hand_over();
  if (!block_) TRY(take_block());
  block_->used = next();
  file_->parts++;
  block_->parts.push_back({.file = file_, .offset = offset, .begin = block_->used});
  return {};
}

template <typename Predicate>
Result<void> WriteBehind::wait(Sync<State>::Guard& state, Predicate holds) {
  state->owner_waits = true;
  state.wait([&] { return state->error || holds(); });
  state->owner_waits = false;
  if (state->error) return std::unexpected(*state->error);
  return {};
}

Result<void> WriteBehind::take_block() {
  auto state = state_.lock();
  TRY(wait(state, [&] { return !state->spare.empty(); }));
  block_ = std::move(state->spare.back());
  state->spare.pop_back();
  return {};
}

void WriteBehind::hand_over() {
  {
    auto state = state_.lock();
    state->full.push_back(std::move(block_));
  }
  state_.notify_one();  // nobody waits but workers
}

Result<void> WriteBehind::write(uint64_t offset, ConstBytes bytes) {
  TRY(file_->writer->take(bytes));
  while (!bytes.empty()) {
    const bool goes_on = has_part_at_end() && block_->used < kBlockSize &&
                         block_->parts.back().offset + block_->parts.back().size == offset;
    if (!goes_on) TRY(begin_part(offset));
    const size_t count = std::min(bytes.size(), kBlockSize - block_->used);
    std::memcpy(block_->bytes.data() + block_->used, bytes.data(), count);
    block_->used += count;
    block_->parts.back().size += count;
    bytes = bytes.subspan(count);
    offset += count;
  }
  return {};
}

std::optional<uint64_t> WriteBehind::share(int from) {
  if (!file_ || !file_->writer->share(from)) return std::nullopt;
  return file_->writer->size_bytes();
}

Result<void> WriteBehind::end() {
  if (!has_part_at_end()) TRY(begin_part(0));
  block_->parts.back().last = true;
  file_.reset();
  if (block_->parts.size() >= max_parts_) hand_over();
  return {};
}

Result<std::unique_ptr<FileWriter>> WriteBehind::abandon() {
  TRY(drain());
  std::unique_ptr<FileWriter> writer = std::move(file_->writer);
  file_.reset();
  return writer;
}

Result<void> WriteBehind::finish() {
  return drain();
}

Result<void> WriteBehind::drain() {
  if (block_) hand_over();
  auto state = state_.lock();
  return wait(state, [&] { return state->full.empty() && state->at_work == 0; });
}

void WriteBehind::work() {
  for (;;) {
    std::unique_ptr<Block> block;
    {
      auto state = state_.lock();
      state.wait([&] { return state->stopped || state->error || !state->full.empty(); });
      if (state->stopped || state->error) return;
      block = std::move(state->full.front());
      state->full.pop_front();
      state->at_work++;
    }
    const Result<void> written = write(*block);
    block->parts.clear();  // closes files
    block->used = 0;
    bool wake = !written;
    {
      auto state = state_.lock();
      state->at_work--;
      state->spare.push_back(std::move(block));
      if (!written && !state->error) state->error = written.error();
      wake = wake || state->owner_waits;
    }
    if (wake) state_.notify_all();
  }
}

Result<void> WriteBehind::write(const Block& block) {
  for (const Part& part : block.parts) {
    File& file = *part.file;
    TRY(file.writer->write(part.offset, ConstBytes(block.bytes).subspan(part.begin, part.size)));
    if ((file.parts -= part.last ? 2 : 1) == 0) TRY(file.writer->finish(metadata_));
  }
  return {};
}

}  // namespace manman::archive
