#include <algorithm>
#include <atomic>

#include "archive/archive.h"
#include "archive/index.h"
#include "archive/test_support.h"

namespace manman::archive::test {
namespace {

// What a distant archive would be asked for.
class CountingSource final : public RandomSource {
 public:
  explicit CountingSource(RandomSource& real) : real_(real) {}
  uint64_t size() const override { return real_.size(); }
  Result<void> read_at(uint64_t offset, MutableBytes buffer) override {
    reads++;
    bytes += buffer.size();
    return real_.read_at(offset, buffer);
  }
  std::atomic<uint64_t> reads{0};
  std::atomic<uint64_t> bytes{0};

 private:
  RandomSource& real_;
};

struct Discard final : Sink {
  Result<void> write(ConstBytes) override { return {}; }
};

uint64_t frames_of(const format::EntryRecord& record) {
  const uint64_t first = record.header_offset / format::kFrameSize;
  const uint64_t end = record.data_offset + (record.entry.size_bytes + 511) / 512 * 512;
  return (end - 1) / format::kFrameSize - first + 1;
}

// One for the end of the archive and one for its index; opening an object takes a third.
constexpr uint64_t kForTheIndex = 2;

TEST(ReadsTest, FileCostsItsFramesAndTheIndexAndListingTheIndexAlone) {
  TempDir dir;
  std::mt19937_64 random(3);
  for (int i = 0; i < 20; i++)
    write_file(dir.path() / ("small " + std::to_string(i)), noise(random, 5000));
  write_file(dir.path() / "large", noise(random, 7 << 20));
  write_file(dir.path() / "z", noise(random, 300));
  for (const ArchiveFormat one : kAllFormats) {
    const std::string archive = pack_bytes(dir.path(), Compression::default_of(one));
    MemorySource memory(archive);
    const auto index = Index::open(memory);
    ASSERT_TRUE(index && *index);
    EntryCursor entries = (*index)->entries();
    for (auto record = entries.next(); record && *record; record = entries.next()) {
      if ((*record)->entry.kind != EntryKind::kFile) continue;
      CountingSource counting(memory);
      Discard out;
      ASSERT_TRUE(cat(counting, (*record)->entry.path, out, WithoutIndex::kRefuse));
      EXPECT_LE(counting.reads, frames_of(**record) + kForTheIndex) << (*record)->entry.path;
      EXPECT_LT(counting.bytes, (frames_of(**record) + 1) << 20) << (*record)->entry.path;
    }
    CountingSource counting(memory);
    uint64_t seen = 0;
    ASSERT_TRUE(list(counting, [&](const Entry&) { return ++seen > 0; }, WithoutIndex::kRefuse));
    EXPECT_EQ(seen, 23U);
    EXPECT_LE(counting.reads, kForTheIndex);
  }
}

TEST(ReadsTest, ArchiveWithoutAnIndexIsRefusedNotRead) {
  TempDir dir;
  std::mt19937_64 random(3);
  write_file(dir.path() / "large", noise(random, 4 << 20));
  const std::string archive = pack_bytes(dir.path());
  const std::string foreign = archive.substr(0, archive.size() - 200);
  MemorySource memory(foreign);
  CountingSource counting(memory);
  Discard out;
  const auto done = cat(counting, "game/large", out, WithoutIndex::kRefuse);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::kFailedPrecondition);
  const auto listed = list(counting, [](const Entry&) { return true; }, WithoutIndex::kRefuse);
  ASSERT_FALSE(listed);
  EXPECT_EQ(listed.error().code, Code::kFailedPrecondition);
  EXPECT_LT(counting.bytes, size_t{1} << 20);
}

}  // namespace
}  // namespace manman::archive::test
