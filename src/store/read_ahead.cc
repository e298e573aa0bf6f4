#include "store/read_ahead.h"

#include <algorithm>
#include <cstring>
#include <deque>
#include <map>
#include <new>
#include <optional>
#include <system_error>
#include <thread>
#include <vector>

#include "base/sync.h"

namespace manman {
namespace {

constexpr size_t kSpare = 2;  // buffers kept for chunks to come

class ReadAhead final : public RandomSource {
 public:
  ReadAhead(std::unique_ptr<RandomSource> source, const ReadAheadOptions& options)
      : source_(std::move(source)),
        size_(source_->size()),
        chunk_bytes_(options.chunk_bytes),
        ahead_(static_cast<uint64_t>(options.reads_at_once)) {
    try {
      for (int i = 0; i < options.reads_at_once; i++) threads_.emplace_back([this] { work(); });
    } catch (const std::system_error&) {
      // Those that there are do it; without any, reads go straight to the source.
    }
  }

  ReadAhead(const ReadAhead&) = delete;
  ReadAhead& operator=(const ReadAhead&) = delete;
  ~ReadAhead() override {
    state_.lock()->stopping = true;
    state_.notify_all();
  }

  uint64_t size() const override { return size_; }

  Result<void> read_at(uint64_t offset, MutableBytes buffer) override {
    if (threads_.empty() || offset > size_ || buffer.size() > size_ - offset)
      return source_->read_at(offset, buffer);
    while (!buffer.empty()) {
      const uint64_t number = offset / chunk_bytes_;
      const std::shared_ptr<Chunk> chunk = TRY(get(number));
      const size_t begin = offset - number * chunk_bytes_;
      const size_t count = std::min(buffer.size(), chunk->bytes.size() - begin);
      std::memcpy(buffer.data(), chunk->bytes.data() + begin, count);
      let_go(*chunk);
      offset += count;
      buffer = buffer.subspan(count);
    }
    return {};
  }

 private:
  struct Chunk {
    std::vector<std::byte> bytes;  // filled by the one thread that reads it, before it is done
    // Under the state's lock:
    bool done = false;
    int readers = 0;  // that wait for it, or read its bytes
    std::optional<Error> error;
  };
  struct State {
    std::map<uint64_t, std::shared_ptr<Chunk>> chunks;  // by number
    std::deque<uint64_t> wanted;                        // numbers of chunks to be read
    std::vector<std::vector<std::byte>> spare;
    uint64_t in_order = 0;  // all before it have been asked for in order
    bool stopping = false;
  };

  // Once it has been read; stays until let_go(). A failed one is read again when it is asked for
  // again.
  Result<std::shared_ptr<Chunk>> get(uint64_t number) {
    auto state = state_.lock();
    const std::shared_ptr<Chunk> chunk = want(*state, number, true);
    chunk->readers++;
    if (number == state->in_order) state->in_order++;
    if (number < state->in_order) {
      const uint64_t end = (size_ + chunk_bytes_ - 1) / chunk_bytes_;
      for (uint64_t next = number + 1; next < std::min(end, number + 1 + ahead_); next++)
        want(*state, next, false);
    }
    forget_old(*state, number);
    state_.notify_all();
    state.wait([&] { return chunk->done; });
    if (!chunk->error) return chunk;
    chunk->readers--;
    const auto failed = state->chunks.find(number);
    if (failed != state->chunks.end() && failed->second == chunk) state->chunks.erase(failed);
    return std::unexpected(*chunk->error);
  }

  void let_go(Chunk& chunk) {
    const auto state = state_.lock();
    chunk.readers--;
  }

  static std::shared_ptr<Chunk> want(State& state, uint64_t number, bool now) {
    std::shared_ptr<Chunk>& chunk = state.chunks[number];
    if (chunk) return chunk;
    chunk = std::make_shared<Chunk>();
    if (now)
      state.wanted.push_front(number);
    else
      state.wanted.push_back(number);
    return chunk;
  }

  // Those that no one reads, the farthest before the one that is asked for first.
  void forget_old(State& state, uint64_t number) {
    for (auto it = state.chunks.begin();
         it != state.chunks.end() && state.chunks.size() > 2 * ahead_;) {
      const bool idle = it->second->done && it->second->readers == 0;
      if (!idle || (it->first >= number && it->first <= number + ahead_)) {
        ++it;
        continue;
      }
      if (state.spare.size() < kSpare) state.spare.push_back(std::move(it->second->bytes));
      it = state.chunks.erase(it);
    }
  }

  void work() {
    while (true) {
      uint64_t number = 0;
      std::shared_ptr<Chunk> chunk;
      {
        auto state = state_.lock();
        state.wait([&] { return state->stopping || !state->wanted.empty(); });
        if (state->stopping) return;
        number = state->wanted.front();
        state->wanted.pop_front();
        chunk = state->chunks.at(number);
        if (!state->spare.empty()) {
          chunk->bytes = std::move(state->spare.back());
          state->spare.pop_back();
        }
      }
      const auto read = fill(number, chunk->bytes);
      {
        auto state = state_.lock();
        if (!read) chunk->error = read.error();
        chunk->done = true;
      }
      state_.notify_all();
    }
  }

  Result<void> fill(uint64_t number, std::vector<std::byte>& bytes) {
    const uint64_t offset = number * chunk_bytes_;
    try {
      bytes.resize(std::min<uint64_t>(chunk_bytes_, size_ - offset));
    } catch (const std::bad_alloc&) {
      return fail(Code::kResourceExhausted, "out of memory");
    }
    return source_->read_at(offset, bytes);
  }

  const std::unique_ptr<RandomSource> source_;
  const uint64_t size_;
  const size_t chunk_bytes_;
  const uint64_t ahead_;
  Sync<State> state_;
  std::vector<std::jthread> threads_;  // last: they use all of the above
};

}  // namespace

std::unique_ptr<RandomSource> read_ahead(std::unique_ptr<RandomSource> source,
                                         const ReadAheadOptions& options) {
  return std::make_unique<ReadAhead>(std::move(source), options);
}

}  // namespace manman
