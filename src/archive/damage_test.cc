#include <zlib.h>

#include "archive/format.h"
#include "archive/test_support.h"

// Archives of ours that were damaged, cut, or made to lie.
namespace manman::archive::test {
namespace {

const Container& kGzip = container_of(ArchiveFormat::kGzip);
const size_t kTailSize = format::tail_size(kGzip);

std::string small_archive() {
  const TempDir temp;
  const fs::path dir = temp.make("game");
  write_file(dir / "a", "contents of a");
  write_file(dir / "b", std::string(2000, 'b'));
  fs::create_symlink("a", dir / "s");
  fs::create_hard_link(dir / "a", dir / "h");
  for (const char* name : {"a", "b", "s", "."}) set_mtime(dir / name, 1'700'000'000, 5);
  return pack_bytes(dir);
}

TEST(Damage, EveryFlippedBitIsFound) {
  const std::string good = small_archive();
  ASSERT_TRUE(verify_bytes(good));
  for (size_t at = 0; at < good.size(); at++) {
    for (int bit = 0; bit < 8; bit++) {
      std::string bad = good;
      bad[at] = static_cast<char>(bad[at] ^ (1 << bit));
      const auto result = verify_bytes(bad);
      ASSERT_FALSE(result) << "byte " << at << " bit " << bit;
    }
  }
}

// A world of several frames, and where its frames lie.
struct LargeArchive {
  std::string bytes;
  format::Tail tail;

  explicit LargeArchive(unsigned seed) {
    const TempDir temp;
    const fs::path dir = temp.make("game");
    std::mt19937_64 random(seed);
    for (int i = 0; i < 3; i++) write_file(dir / std::to_string(i), noise(random, 500'000));
    bytes = pack_bytes(dir);
    tail = format::decode_tail(as_bytes(bytes).last(kTailSize), bytes.size(), kGzip).value();
  }
};

TEST(Damage, FlippedBitsOfALargeArchiveAreFoundAndPlaced) {
  constexpr unsigned kSeed = 23;
  const LargeArchive good(kSeed);
  ASSERT_GE(good.tail.frame_count, 2U);
  std::mt19937_64 random(kSeed);
  for (int i = 0; i < 1000; i++) {
    const size_t at = random() % good.bytes.size();
    std::string bad = good.bytes;
    bad[at] = static_cast<char>(bad[at] ^ (1 << random() % 8));
    const auto result = verify_bytes(bad);
    ASSERT_EQ(code_of(result), Code::kDataLoss) << "seed " << kSeed << " byte " << at;
    const bool in_frame =
        at >= kGzip.header().size() && at < good.tail.entries_offset - kGzip.data_end_size();
    if (!in_frame) continue;
    EXPECT_NE(message_of(result).find("frame "), std::string::npos) << message_of(result);
    EXPECT_NE(message_of(result).find("a part of game"), std::string::npos) << message_of(result);
  }
}

TEST(Damage, OfSeveralDamagedFramesTheFirstIsTold) {
  const LargeArchive good(29);
  std::string bad = good.bytes;
  for (const size_t at : {size_t{100}, bad.size() / 2, good.tail.entries_offset - 100})
    bad[at] = static_cast<char>(bad[at] ^ 1);
  for (int i = 0; i < 20; i++) {
    MemorySource source(bad);
    const auto result = verify(source, 4, nullptr);
    EXPECT_NE(message_of(result).find("frame 0 (at byte 10) is damaged: its hash does not match; "
                                      "it holds all or a part of game, game/0, game/1"),
              std::string::npos)
        << message_of(result);
  }
}

TEST(Damage, FlippedBitsAreFoundWhileUnpacking) {
  const std::string good = small_archive();
  for (size_t at = 0; at < good.size(); at++) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x10);
    const TempDir target;
    EXPECT_EQ(code_of(unpack_bytes(bad, target.path())), Code::kDataLoss) << "byte " << at;
  }
}

TEST(Damage, EveryCutIsFound) {
  const std::string good = small_archive();
  for (size_t size = 0; size < good.size(); size++) {
    const auto result = verify_bytes(good.substr(0, size));
    ASSERT_EQ(code_of(result), Code::kDataLoss) << size << " " << message_of(result);
  }
}

TEST(Damage, BytesAddedAreFound) {
  const std::string good = small_archive();
  for (const std::string& more : {std::string(1, '\0'), std::string("x"), good}) {
    const auto result = verify_bytes(good + more);
    EXPECT_EQ(code_of(result), Code::kDataLoss) << message_of(result);
  }
  EXPECT_EQ(code_of(verify_bytes("x" + good)), Code::kDataLoss);
}

TEST(Damage, LargeArchiveCutAnywhere) {
  const TempDir temp;
  const fs::path dir = temp.make("game");
  std::mt19937_64 random(11);
  for (int i = 0; i < 5; i++) write_file(dir / std::to_string(i), noise(random, 1 << 20));
  const std::string good = pack_bytes(dir);
  for (int i = 0; i < 60; i++) {
    const size_t size = random() % good.size();
    const TempDir target;
    const auto result = unpack_bytes(good.substr(0, size), target.path());
    EXPECT_EQ(code_of(result), Code::kDataLoss) << size << " " << message_of(result);
  }
}

format::Tail tail_of(const std::string& archive) {
  return format::decode_tail(as_bytes(archive).last(kTailSize), archive.size(), kGzip).value();
}

// Rebuilds the archive's tail with other numbers and right hashes: lies, not damage.
template <typename Change>
std::string with_tail(const std::string& archive, Change change) {
  auto tail = tail_of(archive);
  change(tail);
  return archive.substr(0, archive.size() - kTailSize) + format::encode(tail, kGzip);
}

TEST(Lies, NumbersOfTheTail) {
  const std::string good = small_archive();
  using format::Tail;
  const std::vector<void (*)(Tail&)> lies = {
      [](Tail& tail) { tail.archive_size++; },
      [](Tail& tail) { tail.entries_offset = UINT64_MAX; },
      [](Tail& tail) { tail.entries_offset = 0; },
      [](Tail& tail) { tail.entries_offset++; },
      [](Tail& tail) { tail.frames_offset = UINT64_MAX - 5; },
      [](Tail& tail) { tail.frames_offset = tail.entries_offset; },
      [](Tail& tail) { tail.frame_count = UINT64_MAX; },
      [](Tail& tail) { tail.frame_count = 2; },
      [](Tail& tail) { tail.entry_count = UINT64_MAX; },
      [](Tail& tail) { tail.entry_count--; },
      [](Tail& tail) { tail.stream_size = UINT64_MAX; },
      [](Tail& tail) { tail.stream_size = 512; },
      [](Tail& tail) { tail.stream_size += 512; },
      [](Tail& tail) {
        tail.stream_size = uint64_t{1} << 60;
        tail.frame_count = uint64_t{1} << 40;
      },
      [](Tail& tail) { tail.data_size = UINT64_MAX; },
      [](Tail& tail) { tail.data_size++; },
      [](Tail& tail) { tail.hole_size = tail.data_size + 1; },
      [](Tail& tail) { tail.stream_crc32++; },
      [](Tail& tail) { tail.index_sha256[0] ^= std::byte{1}; },
  };
  ASSERT_TRUE(verify_bytes(with_tail(good, [](Tail&) {})));
  for (size_t i = 0; i < lies.size(); i++) {
    const auto result = verify_bytes(with_tail(good, lies[i]));
    EXPECT_EQ(code_of(result), Code::kDataLoss) << "lie " << i << " " << message_of(result);
    const TempDir target;
    EXPECT_FALSE(unpack_bytes(with_tail(good, lies[i]), target.path())) << "lie " << i;
  }
}

TEST(Lies, AnotherVersionIsNamed) {
  std::string archive = small_archive();
  const size_t tail = archive.size() - kTailSize;
  archive[tail + 16 + 8] = 2;
  const size_t hashed = kTailSize - kGzip.member_end(0).size() - 32;
  const Sha256Digest hash = Sha256::of(as_bytes(archive).subspan(tail, hashed));
  archive.replace(tail + hashed, 32, as_text(hash));
  const auto result = verify_bytes(archive);
  EXPECT_EQ(code_of(result), Code::kUnimplemented);
  EXPECT_NE(message_of(result).find("version 2"), std::string::npos);
}

// The archive with its entries' records changed, all hashes right again.
template <typename Change>
std::string with_entries(const std::string& archive, Change change) {
  const ConstBytes bytes = as_bytes(archive);
  auto tail = tail_of(archive);
  const ConstBytes head = bytes.subspan(tail.entries_offset, kGzip.member_head_size());
  const ConstBytes data =
      bytes.subspan(tail.entries_offset + kGzip.member_head_size(), kGzip.member_data_size(head));
  format::BlockHead block = format::decode_block(data).value();
  std::string records(block.raw_size, '\0');
  uLongf size = records.size();
  z_stream stream{};
  inflateInit2(&stream, -15);
  stream.next_in =
      reinterpret_cast<Bytef*>(const_cast<std::byte*>(data.data())) + format::kBlockHeadSize;
  stream.avail_in = static_cast<uInt>(data.size() - format::kBlockHeadSize);
  stream.next_out = reinterpret_cast<Bytef*>(records.data());
  stream.avail_out = static_cast<uInt>(size);
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  inflateEnd(&stream);
  ConstBytes rest = as_bytes(records);
  std::string changed;
  for (uint32_t i = 0; i < block.records; i++) {
    format::EntryRecord record = format::decode_entry(rest).value();
    change(i, record);
    changed += format::encode(record);
  }
  block.deflated = false;
  block.raw_size = static_cast<uint32_t>(changed.size());
  const std::string member = kGzip.member(format::encode_block(block, changed));
  const std::string frames =
      archive.substr(tail.frames_offset, archive.size() - kTailSize - tail.frames_offset);
  tail.frames_offset = tail.entries_offset + member.size();
  tail.index_sha256 = Sha256::of(as_bytes(member + frames));
  tail.archive_size = tail.frames_offset + frames.size() + kTailSize;
  return archive.substr(0, tail.entries_offset) + member + frames + format::encode(tail, kGzip);
}

TEST(Lies, EntriesThatAreNotTheStreams) {
  using format::EntryRecord;
  const std::string good = small_archive();
  ASSERT_TRUE(verify_bytes(with_entries(good, [](uint32_t, EntryRecord&) {})));
  const std::vector<void (*)(EntryRecord&)> lies = {
      [](EntryRecord& record) { record.entry.path = "game/other"; },
      [](EntryRecord& record) { record.entry.path = "../../etc/passwd"; },
      [](EntryRecord& record) { record.entry.kind = EntryKind::kFolder; },
      [](EntryRecord& record) { record.entry.size_bytes++; },
      [](EntryRecord& record) { record.entry.mode ^= 07; },
      [](EntryRecord& record) { record.entry.uid++; },
      [](EntryRecord& record) { record.entry.mtime_ns++; },
      [](EntryRecord& record) { record.entry.link_target = "x"; },
      [](EntryRecord& record) {
        record.header_offset += 512;
        record.data_offset += 512;
      },
      [](EntryRecord& record) { record.data_offset += 512; },
      [](EntryRecord& record) { record.entry.size_bytes = uint64_t{1} << 62; },
  };
  for (size_t i = 0; i < lies.size(); i++) {
    const std::string bad = with_entries(good, [&](uint32_t number, EntryRecord& record) {
      if (number == 1) lies[i](record);
    });
    const auto result = verify_bytes(bad);
    EXPECT_EQ(code_of(result), Code::kDataLoss) << "lie " << i << " " << message_of(result);
  }
}

TEST(Damage, TheIndexGoneIsToldFromAForeignArchive) {
  const std::string good = small_archive();
  const auto tail = tail_of(good);
  const auto result = verify_bytes(good.substr(0, tail.entries_offset));
  EXPECT_EQ(code_of(result), Code::kDataLoss);
  EXPECT_NE(message_of(result).find("cut short"), std::string::npos);
}

}  // namespace
}  // namespace manman::archive::test
