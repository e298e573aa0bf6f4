#include "store/read_ahead.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <thread>
#include <vector>

#include "base/sync.h"

namespace manman {
namespace {

constexpr size_t kChunk = 1000;
constexpr ReadAheadOptions kOptions{.chunk_bytes = kChunk, .reads_at_once = 3};

std::string some_bytes(size_t size) {
  std::string bytes(size, '\0');
  std::mt19937 random(5);
  std::ranges::generate(bytes, [&] { return static_cast<char>(random()); });
  return bytes;
}

// What the source of a test has been asked for, and what it does; outlives it.
struct Script {
  struct State {
    std::vector<uint64_t> offsets;  // of reads, in the order in which they began
    int at_work = 0;
    int most_at_work = 0;
    bool held = false;  // reads wait
    int failures = 0;   // of the next reads
  };
  std::string bytes;
  Sync<State> state;

  bool wait_for_reads(size_t count) {
    auto locked = state.lock();
    return locked.wait_for(std::chrono::seconds(10),
                           [&] { return locked->offsets.size() >= count; });
  }
  std::vector<uint64_t> offsets() { return state.lock()->offsets; }
  void hold(bool held) {
    state.lock()->held = held;
    state.notify_all();
  }
};

class ScriptedSource final : public RandomSource {
 public:
  explicit ScriptedSource(Script& script) : script_(script) {}
  uint64_t size() const override { return script_.bytes.size(); }
  Result<void> read_at(uint64_t offset, MutableBytes buffer) override {
    if (offset > size() || buffer.size() > size() - offset)
      return fail(Code::kOutOfRange, "beyond the end");
    bool failing = false;
    {
      auto state = script_.state.lock();
      state->offsets.push_back(offset);
      state->most_at_work = std::max(state->most_at_work, ++state->at_work);
      script_.state.notify_all();
      state.wait([&] { return !state->held; });
      state->at_work--;
      failing = state->failures > 0;
      if (failing) state->failures--;
    }
    if (failing) return fail(Code::kUnavailable, "connection cut");
    std::memcpy(buffer.data(), script_.bytes.data() + offset, buffer.size());
    return {};
  }

 private:
  Script& script_;
};

class ReadAheadTest : public testing::Test {
 protected:
  ReadAheadTest() { script_.bytes = some_bytes(20 * kChunk + 123); }

  std::unique_ptr<RandomSource> open() {
    return read_ahead(std::make_unique<ScriptedSource>(script_), kOptions);
  }
  Result<std::string> read(RandomSource& source, uint64_t offset, size_t count) {
    std::string part(count, '\0');
    TRY(source.read_at(offset, std::as_writable_bytes(std::span(part))));
    return part;
  }
  void expect_read(RandomSource& source, uint64_t offset, size_t count) {
    const auto part = read(source, offset, count);
    ASSERT_TRUE(part) << part.error().message;
    EXPECT_TRUE(*part == script_.bytes.substr(offset, count)) << offset << " " << count;
  }

  Script script_;
};

TEST_F(ReadAheadTest, GivesTheSameBytesInOrder) {
  const auto source = open();
  EXPECT_EQ(source->size(), script_.bytes.size());
  for (uint64_t offset = 0; offset < script_.bytes.size(); offset += 700)
    expect_read(*source, offset, std::min<size_t>(700, script_.bytes.size() - offset));
  EXPECT_EQ(script_.offsets().size(), 21) << "each chunk once";
}

TEST_F(ReadAheadTest, GivesTheSameBytesHereAndThereToSeveralThreads) {
  const auto source = open();
  std::vector<std::jthread> threads;
  for (unsigned seed = 0; seed < 6; seed++)
    threads.emplace_back([&, seed] {
      std::mt19937 random(seed);
      for (int i = 0; i < 300; i++) {
        const uint64_t offset = random() % script_.bytes.size();
        expect_read(*source, offset,
                    random() % std::min<size_t>(5 * kChunk, script_.bytes.size() - offset));
      }
    });
}

TEST_F(ReadAheadTest, ReadsWhatComesNextBeforeItIsAskedFor) {
  const auto source = open();
  expect_read(*source, 0, 10);
  ASSERT_TRUE(script_.wait_for_reads(4));
  auto offsets = script_.offsets();
  std::ranges::sort(offsets);
  EXPECT_EQ(offsets, (std::vector<uint64_t>{0, kChunk, 2 * kChunk, 3 * kChunk}));
}

TEST_F(ReadAheadTest, ReadsOnlyWhatIsAskedForOutOfOrder) {
  const auto source = open();
  expect_read(*source, 15 * kChunk, 10);
  expect_read(*source, 7 * kChunk + 5, 10);
  EXPECT_EQ(script_.offsets(), (std::vector<uint64_t>{15 * kChunk, 7 * kChunk}));
}

TEST_F(ReadAheadTest, ReadsSeveralAtOnceAndNoMore) {
  const auto source = open();
  script_.hold(true);
  std::jthread reader([&] { expect_read(*source, 0, script_.bytes.size()); });
  EXPECT_TRUE(script_.wait_for_reads(3));
  script_.hold(false);
  reader.join();
  EXPECT_EQ(script_.state.lock()->most_at_work, 3);
}

TEST_F(ReadAheadTest, AFailureIsToldAndTheNextTryIsAnew) {
  const auto source = open();
  script_.state.lock()->failures = 1;
  const auto part = read(*source, 5 * kChunk, 10);
  ASSERT_FALSE(part);
  EXPECT_EQ(part.error().message, "connection cut");
  expect_read(*source, 5 * kChunk, 10);
}

TEST_F(ReadAheadTest, BeyondTheEndIsOutOfRange) {
  const auto source = open();
  const auto part = read(*source, script_.bytes.size() - 3, 4);
  ASSERT_FALSE(part);
  EXPECT_EQ(part.error().code, Code::kOutOfRange);
  expect_read(*source, script_.bytes.size() - 3, 3);
}

TEST_F(ReadAheadTest, EndsWhileReadsAreUnderWay) {
  auto source = open();
  expect_read(*source, 0, 10);
  script_.hold(true);
  std::jthread later([&] { script_.hold(false); });
  source.reset();
}

}  // namespace
}  // namespace manman
