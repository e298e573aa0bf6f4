#include <set>

#include "archive/format.h"
#include "archive/index.h"
#include "archive/test_support.h"

// What salvage() gets out of damaged archives: exactly what the damage did not touch.
namespace manman::archive::test {
namespace {

const Container& kGzip = container_of(ArchiveFormat::kGzip);

struct Salvaged {
  Result<SalvageResult> result = fail(Code::kUnknown, "not run");
  std::set<std::string> lost;
};

enum class IndexLeft { kNone, kAllButTheTail };

Salvaged salvage_bytes(const std::string& bytes, const fs::path& target, int threads = 2) {
  MemorySource source(bytes);
  Salvaged done;
  done.result = salvage(source, target, {.threads = threads, .strip_prefix = "game"},
                        [&](const Entry& entry) { done.lost.insert(entry.path); });
  return done;
}

// Where an entry and its headers stand in the tar stream, and what it is.
struct Place {
  Entry entry;
  uint64_t begin = 0;
  uint64_t end = 0;
};

// A world of some frames, files small and larger than a frame, links of both kinds.
class World {
 public:
  explicit World(unsigned seed, const Compression& compression = {}) {
    const fs::path dir = temp_.make("game");
    std::mt19937_64 random(seed);
    for (int i = 0; i < 24; i++) {
      const fs::path folder = dir / ("folder" + std::to_string(i % 5));
      fs::create_directory(folder);
      const size_t size = i == 12             ? 1'500'000
                          : random() % 3 == 0 ? random() % 300'000
                                              : random() % 5'000;
      write_file(folder / ("file" + std::to_string(i)), noise(random, size));
      if (i % 6 == 0)
        fs::create_hard_link(folder / ("file" + std::to_string(i)),
                             dir / ("hard" + std::to_string(i)));
      if (i % 7 == 0) fs::create_symlink("file0", folder / "symlink");
    }
    bytes = pack_bytes(dir, compression);
    expected = describe(dir);
    MemorySource source(bytes);
    const auto index = Index::open(source).value().value();
    EntryCursor entries = index.entries();
    while (const auto record = entries.next().value()) {
      const uint64_t data = (record->entry.size_bytes + 511) / 512 * 512;
      places.push_back({record->entry, record->header_offset, record->data_offset + data});
    }
    FrameCursor cursor = index.frames();
    while (const auto frame = cursor.next().value()) frames.push_back(*frame);
    tail = index.tail();
  }

  // The entries that have a byte in a frame in which one of these bytes of the archive lies, and
  // hard links to them.
  std::set<std::string> touched_by(const std::vector<size_t>& changed) const {
    std::set<std::string> touched;
    for (const Place& place : places) {
      for (const Frame& frame : frames) {
        const uint64_t begin = frame.number * format::kFrameSize;
        const bool damaged = std::ranges::any_of(changed, [&](size_t at) {
          return at >= frame.offset && at < frame.offset + frame.record.packed_size;
        });
        if (damaged && place.begin < begin + frame.record.raw_size && begin < place.end)
          touched.insert(place.entry.path);
      }
      if (place.entry.kind == EntryKind::kHardLink && touched.contains(place.entry.link_target))
        touched.insert(place.entry.path);
    }
    return touched;
  }

  // All that is not lost is there as it was, and no more than that and the folders on the way.
  void expect_rest(const fs::path& target, const std::set<std::string>& lost) const {
    const auto there = describe(target);
    for (const auto& [name, text] : expected) {
      const std::string path = name == "." ? "game" : "game/" + name;
      const auto found = there.find(name);
      if (lost.contains(path)) {
        EXPECT_TRUE(found == there.end() || fs::is_directory(target / name)) << path;
        continue;
      }
      ASSERT_NE(found, there.end()) << path;
      EXPECT_EQ(alone(found->second), alone(text)) << path;
    }
    for (const auto& [name, text] : there) EXPECT_TRUE(expected.contains(name)) << name;
  }

  std::string bytes;
  std::map<std::string, std::string> expected;
  std::vector<Place> places;
  std::vector<Frame> frames;
  format::Tail tail;

 private:
  // The description without the other names of a file: one of them may be lost.
  static std::string alone(const std::string& text) {
    return text.substr(0, text.find(" same as"));
  }

  TempDir temp_;
};

std::string with_bits_turned(std::string bytes, const std::vector<size_t>& places) {
  for (const size_t at : places) bytes[at] = static_cast<char>(bytes[at] ^ (1 << at % 8));
  return bytes;
}

TEST(Salvage, AWholeArchiveIsUnpackedWhole) {
  const World world(1);
  const TempDir target;
  const Salvaged done = salvage_bytes(world.bytes, target.path());
  ASSERT_TRUE(done.result) << message_of(done.result);
  EXPECT_EQ(done.result->damage, "");
  EXPECT_TRUE(done.result->to_the_end);
  EXPECT_EQ(done.result->entries, world.tail.entry_count);
  EXPECT_EQ(done.result->data_size_bytes, world.tail.data_size);
  EXPECT_EQ(describe(target.path()), world.expected);
}

TEST(Salvage, ExactlyWhatNoDamagedFrameTouches) {
  for (unsigned seed = 1; seed <= 12; seed++) {
    const World world(seed);
    ASSERT_GE(world.frames.size(), 3U);
    std::mt19937_64 random(seed);
    std::vector<size_t> places;
    const size_t data_end = world.tail.entries_offset - kGzip.data_end_size();
    for (size_t i = 1 + random() % 3; i > 0; i--)
      places.push_back(kGzip.header().size() + random() % (data_end - kGzip.header().size()));
    const TempDir target;
    const Salvaged done = salvage_bytes(with_bits_turned(world.bytes, places), target.path());
    ASSERT_TRUE(done.result) << "seed " << seed << " " << message_of(done.result);
    EXPECT_EQ(done.lost, world.touched_by(places)) << "seed " << seed;
    EXPECT_EQ(done.result->lost_entries, done.lost.size());
    EXPECT_EQ(done.result->entries + done.lost.size(), world.tail.entry_count) << "seed " << seed;
    EXPECT_NE(done.result->damage.find("frame"), std::string::npos);
    EXPECT_TRUE(done.result->to_the_end);
    world.expect_rest(target.path(), done.lost);
  }
}

TEST(Salvage, AllFramesDamaged) {
  const World world(2);
  std::vector<size_t> places;
  for (const Frame& frame : world.frames) places.push_back(frame.offset);
  const TempDir target;
  const Salvaged done = salvage_bytes(with_bits_turned(world.bytes, places), target.path());
  ASSERT_TRUE(done.result) << message_of(done.result);
  EXPECT_EQ(done.lost.size(), world.tail.entry_count);
  EXPECT_EQ(done.result->entries, 0U);
  EXPECT_TRUE(fs::is_empty(target.path()));
}

// Damage of what stands round the frames takes nothing with it: the frames' hashes, or the data's
// CRC-32, vouch for all.
TEST(Salvage, DamageOutsideOfTheFramesTakesNothing) {
  const World world(3);
  std::mt19937_64 random(3);
  std::vector<size_t> places;
  for (size_t at = 0; at < kGzip.header().size(); at++) places.push_back(at);
  for (size_t at = world.tail.entries_offset - kGzip.data_end_size(); at < world.bytes.size();
       at += 1 + random() % 90)
    places.push_back(at);
  for (const size_t at : places) {
    const TempDir target;
    const Salvaged done = salvage_bytes(with_bits_turned(world.bytes, {at}), target.path());
    ASSERT_TRUE(done.result) << "byte " << at << " " << message_of(done.result);
    EXPECT_EQ(done.lost.size(), 0U) << "byte " << at;
    const bool in_index = at >= world.tail.entries_offset;
    EXPECT_EQ(done.result->damage.find("index") != std::string::npos, in_index) << at;
    EXPECT_TRUE(done.result->to_the_end) << "byte " << at << " " << done.result->damage;
    EXPECT_EQ(describe(target.path()), world.expected) << "byte " << at;
  }
}

TEST(Salvage, ACutArchiveGivesWhatStandsBeforeTheCut) {
  const World world(4);
  std::mt19937_64 random(4);
  for (int i = 0; i < 12; i++) {
    const size_t size = 20'000 + random() % (world.tail.entries_offset - 20'010);
    const TempDir target;
    const Salvaged done = salvage_bytes(world.bytes.substr(0, size), target.path());
    ASSERT_TRUE(done.result) << size << " " << message_of(done.result);
    EXPECT_FALSE(done.result->to_the_end);
    EXPECT_FALSE(done.result->indexed);
    EXPECT_NE(done.result->damage.find("at byte " + std::to_string(size)), std::string::npos)
        << done.result->damage;
    // Frames that are wholly there are unpacked wholly; of the one that is cut, a part.
    std::set<std::string> lost;
    std::vector<size_t> missing;
    for (const Frame& frame : world.frames)
      if (frame.offset + frame.record.packed_size > size) missing.push_back(frame.offset);
    for (const std::string& path : world.touched_by(missing)) {
      const fs::path file = target.path() / fs::path(path).lexically_relative("game");
      if (!fs::is_symlink(file) && !fs::exists(file)) lost.insert(path);
    }
    world.expect_rest(target.path(), lost);
  }
}

// A damaged frame in the middle and no index at the end: all goes on at the next good frame.
TEST(Salvage, GoesOnBehindTheDamageWithoutAnIndex) {
  const Compression formats[] = {Compression{},
                                 {ArchiveFormat::kGzip, Compression::kGzipBest},
                                 {ArchiveFormat::kGzip, Compression::kGzipFast},
                                 Compression::default_of(ArchiveFormat::kZstd),
                                 Compression::default_of(ArchiveFormat::kNone)};
  unsigned seed = 20;
  for (const Compression& format : formats) {
    const World world(++seed, format);
    ASSERT_GE(world.frames.size(), 3U);
    std::mt19937_64 random(seed);
    for (const IndexLeft left : {IndexLeft::kNone, IndexLeft::kAllButTheTail}) {
      for (const Frame& frame : world.frames) {
        const std::vector<size_t> places = {frame.offset + random() % frame.record.packed_size,
                                            frame.offset + random() % frame.record.packed_size};
        std::string bytes = with_bits_turned(world.bytes, places);
        bytes.resize(left == IndexLeft::kNone ? world.tail.entries_offset : bytes.size() - 50);
        const std::string what = std::string(format.format_text()) + " " + format.level_text() +
                                 " frame " + std::to_string(frame.number) + " index left " +
                                 std::to_string(static_cast<int>(left));
        const TempDir target;
        const Salvaged done = salvage_bytes(bytes, target.path());
        const std::set<std::string> touched = world.touched_by(places);
        const auto there = describe(target.path());
        for (const auto& [name, text] : world.expected) {
          const std::string path = name == "." ? "game" : "game/" + name;
          const auto found = there.find(name);
          if (touched.contains(path) || text.find(" same as ") != std::string::npos) continue;
          ASSERT_NE(found, there.end()) << what << ": " << path << " is lost";
          EXPECT_EQ(found->second, text) << what << ": " << path;
        }
        if (done.result && left == IndexLeft::kAllButTheTail) {
          // The hashes of the frames that are left tell what is good: nothing else comes out.
          EXPECT_TRUE(done.result->vouched) << what;
          EXPECT_FALSE(done.result->to_the_end) << what;
          for (const auto& [name, text] : there)
            if (text.find(" size ") != std::string::npos &&
                text.find(" same as ") == std::string::npos) {
              const std::string& expected = world.expected.at(name);
              EXPECT_EQ(text, expected.substr(0, expected.find(" same as "))) << what;
            }
        }
      }
    }
  }
}

TEST(Salvage, AForeignArchiveUpToTheDamage) {
  const World world(5);
  const TempDir temp;
  // The same data, as another tool's archive: without the mark and the index.
  std::string foreign = world.bytes.substr(0, world.tail.entries_offset);
  foreign[8] = 0;
  const Salvaged whole = salvage_bytes(foreign, temp.make("whole"));
  ASSERT_TRUE(whole.result) << message_of(whole.result);
  EXPECT_EQ(whole.result->damage, "");
  EXPECT_EQ(describe(temp.path() / "whole"), world.expected);
  foreign[foreign.size() - 6] = static_cast<char>(foreign[foreign.size() - 6] ^ 1);
  const Salvaged unproven = salvage_bytes(foreign, temp.make("unproven"));
  ASSERT_TRUE(unproven.result) << message_of(unproven.result);
  EXPECT_FALSE(unproven.result->to_the_end);
  EXPECT_EQ(describe(temp.path() / "unproven"), world.expected);
}

TEST(Salvage, WhatUnpackRefusesIsRefused) {
  const World world(6);
  MemorySource source(world.bytes);
  const auto ignore = [](const Entry&) {};
  const TempDir target;
  EXPECT_EQ(code_of(salvage(source, target.path(), {.strip_prefix = "other"}, ignore)),
            Code::kInvalidArgument);
  EXPECT_EQ(code_of(salvage(source, target.path(), {.max_unpacked_bytes = 1000}, ignore)),
            Code::kResourceExhausted);
  EXPECT_EQ(code_of(salvage(source, target.path(), {.only = {"game/hard0"}}, ignore)),
            Code::kInvalidArgument);
}

}  // namespace
}  // namespace manman::archive::test
