#include "archive/write_behind.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <system_error>
#include <utility>

#include "archive/frame_reader.h"

namespace manman::archive {
namespace {

// Of files and folders that are open because something of them waits to be written.
constexpr size_t kMaxDescriptors = 128;
// Of a block: there may be files without contents.
constexpr size_t kMaxParts = 512;
// A block goes on to another folder while it has fewer.
constexpr size_t kFewFiles = 16;
// More than cores, since a large file is mostly waited for.
constexpr int kExtraThreads = 2;

}  // namespace

WriteBehind::WriteBehind(const Metadata& metadata, int threads) : metadata_(metadata) {
  const int wanted = thread_count(threads) + kExtraThreads;
  auto state = state_.lock();
  const int blocks = 4 * wanted;
  max_descriptors_ = std::max<size_t>(kMaxDescriptors / blocks, 1);
  max_making_ = static_cast<size_t>(thread_count(threads));
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
  if (!file_->writer->is_made()) begin_unmade();
}

void WriteBehind::begin_unmade() {
  if (!block_) return;
  const bool elsewhere = block_->makes_in && block_->makes_in != file_->writer->place().open;
  if ((elsewhere && block_->parts.size() >= kFewFiles) ||
      kBlockSize - block_->used < file_->writer->size_bytes())
    hand_over();
}

bool WriteBehind::has_part_at_end() const {
  return block_ && !block_->parts.empty() && block_->parts.back().file == file_;
}

// In memory the part stands as it does in its file, as far as alignment goes.
Result<void> WriteBehind::begin_part(uint64_t offset) {
  constexpr size_t kUnit = FileWriter::kAlignment;
  const bool is_made = file_->writer->is_made();
  if (!is_made && file_->parts > 1)
    return fail(Code::kInternal, file_->writer->path() + " comes in parts");
  const auto next = [&] {
    return is_made ? (block_->used + kUnit - 1) / kUnit * kUnit + offset % kUnit : block_->used;
  };
  if (block_ && next() >= kBlockSize) hand_over();
  if (!block_) TRY(take_block());
  block_->used = next();
  file_->parts++;
  const auto makes_in = is_made ? block_->makes_in : file_->writer->place().open;
  if (is_made || makes_in != block_->makes_in) block_->descriptors++;
  block_->makes_in = makes_in;
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
  if (block_->descriptors >= max_descriptors_ || block_->parts.size() >= kMaxParts) hand_over();
  return {};
}

Result<std::unique_ptr<FileWriter>> WriteBehind::abandon() {
  TRY(settle());
  std::unique_ptr<FileWriter> writer = std::move(file_->writer);
  file_.reset();
  return writer;
}

Result<void> WriteBehind::settle() {
  if (block_) hand_over();
  auto state = state_.lock();
  return wait(state, [&] { return state->full.empty() && state->at_work == 0; });
}

std::deque<std::unique_ptr<WriteBehind::Block>>::iterator WriteBehind::next(State& state) const {
  return std::ranges::find_if(state.full, [&](const std::unique_ptr<Block>& block) {
    return !block->makes_in || (state.making.size() < max_making_ &&
                                !std::ranges::count(state.making, block->makes_in.get()));
  });
}

void WriteBehind::work() {
  for (;;) {
    std::unique_ptr<Block> block;
    {
      auto state = state_.lock();
      state.wait(
          [&] { return state->stopped || state->error || next(*state) != state->full.end(); });
      if (state->stopped || state->error) return;
      const auto chosen = next(*state);
      block = std::move(*chosen);
      state->full.erase(chosen);
      if (block->makes_in) state->making.push_back(block->makes_in.get());
      state->at_work++;
    }
    const Result<void> written = write(*block);
    block->parts.clear();
    block->used = 0;
    block->descriptors = 0;
    const std::shared_ptr<const UniqueFd> made_in = std::move(block->makes_in);
    bool wake = !written;
    {
      auto state = state_.lock();
      state->at_work--;
      if (made_in) std::erase(state->making, made_in.get());
      wake = wake || (made_in && !state->full.empty());
      state->spare.push_back(std::move(block));
      if (!written && !state->error) state->error = written.error();
      wake = wake || state->owner_waits;
    }
    if (wake) state_.notify_all();
  }
}

Result<void> WriteBehind::write(Block& block) {
  for (Part& part : block.parts) {
    File& file = *part.file;
    if (!file.writer->is_made()) TRY(file.writer->make(metadata_));
    TRY(file.writer->write(part.offset, ConstBytes(block.bytes).subspan(part.begin, part.size)));
    if ((file.parts -= part.last ? 2 : 1) == 0) TRY(file.writer->finish(metadata_));
    part.file.reset();  // the last one closes it
  }
  return {};
}

}  // namespace manman::archive
