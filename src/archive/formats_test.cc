#include <zstd.h>

#include <cstdlib>

#include "archive/frame_codec.h"
#include "archive/index.h"
#include "archive/tar_writer.h"
#include "archive/test_support.h"

// What holds for archives of every format, and the other tools on them.
namespace manman::archive::test {
namespace {

constexpr Compression kGzipBest{ArchiveFormat::kGzip, Compression::kGzipBest};
const std::vector<Compression> kChoices = {
    {ArchiveFormat::kGzip, Compression::kGzipFast},
    {ArchiveFormat::kGzip, Compression::kGzipDefault},
    kGzipBest,
    {ArchiveFormat::kZstd, 1},
    {ArchiveFormat::kZstd, 3},
    {ArchiveFormat::kZstd, 19},
    {ArchiveFormat::kNone, 0},
};
const std::vector<Compression> kOtherFormats = {Compression::default_of(ArchiveFormat::kZstd),
                                                Compression::default_of(ArchiveFormat::kNone)};

std::string name_of(const Compression& choice) {
  return std::string(choice.format_text()) + " " + choice.level_text();
}

// Runs a script of bash in the folder; what it says is then in its file "said".
bool run_in(const fs::path& dir, const std::string& script) {
  write_file(dir / "script", "cd '" + dir.string() + "' && " + script);
  const std::string words =
      "bash '" + (dir / "script").string() + "' > '" + (dir / "said").string();
  return std::system((words + "' 2>&1").c_str()) == 0;
}

std::string random_bytes(std::mt19937_64& random, size_t size) {
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

// Frames of every kind: noise, text, random, repeats of it, zeros, and the edges of sizes.
fs::path make_tree(const TempDir& temp) {
  const fs::path dir = temp.make("game");
  std::mt19937_64 random(41);
  for (const size_t size : {0, 1, 255, 256, 65791, 65792, (1 << 20) - 512, 1 << 20})
    write_file(dir / ("noise" + std::to_string(size)), noise(random, size));
  write_file(dir / "random", random_bytes(random, 3 << 19));
  const std::string part = random_bytes(random, 20'000);
  std::string repeats;
  for (int i = 0; i < 30; i++) repeats += part;
  write_file(dir / "repeats", repeats);
  write_file(dir / "zeros", std::string(3 << 19, '\0'));
  fs::create_symlink("random", dir / "link");
  for (const auto& entry : fs::directory_iterator(dir)) set_mtime(entry.path(), 1'700'000'000, 5);
  set_mtime(dir, 1'700'000'000, 5);
  return dir;
}

std::string small_archive(const Compression& choice) {
  const TempDir temp;
  const fs::path dir = temp.make("game");
  write_file(dir / "a", "contents of a");
  write_file(dir / "b", std::string(2000, 'b'));
  for (const char* name : {"a", "b", "."}) set_mtime(dir / name, 1'700'000'000, 5);
  return pack_bytes(dir, choice);
}

TEST(Formats, RoundTripAtEveryLevel) {
  const TempDir temp;
  const fs::path dir = make_tree(temp);
  const auto expected = describe(dir);
  for (const Compression& choice : kChoices) {
    SCOPED_TRACE(name_of(choice));
    const std::string bytes = pack_bytes(dir, choice);
    if (choice.level < 19) {
      EXPECT_EQ(bytes, pack_bytes(dir, nullptr, 1, choice));
    }
    const TempDir target;
    const auto unpacked = unpack_bytes(bytes, target.path());
    ASSERT_TRUE(unpacked) << message_of(unpacked);
    EXPECT_TRUE(unpacked->indexed);
    EXPECT_EQ(describe(target.path()), expected);
    const auto verified = verify_bytes(bytes);
    ASSERT_TRUE(verified) << message_of(verified);
    EXPECT_EQ(verified->sha256, Sha256::of(as_bytes(bytes)));
    MemorySource source(bytes);
    MemorySink sink;
    ASSERT_TRUE(cat(source, "game/noise65792", sink));
    EXPECT_EQ(sink.bytes, read_all(dir / "noise65792"));
    if (choice.format != ArchiveFormat::kNone) {
      EXPECT_LT(source.read_bytes(), bytes.size());
    }
  }
}

TEST(Formats, HigherLevelsAreSmaller) {
  const TempDir temp;
  const fs::path dir = temp.make("game");
  std::mt19937_64 random(43);
  std::string words;
  while (words.size() < 1 << 20) words += "word" + std::to_string(random() % 5000) + " ";
  write_file(dir / "words", words);
  const auto size = [&](ArchiveFormat format, int level) {
    return pack_bytes(dir, {format, level}).size();
  };
  const size_t fast = size(ArchiveFormat::kGzip, Compression::kGzipFast);
  const size_t best = size(ArchiveFormat::kGzip, Compression::kGzipBest);
  EXPECT_LT(best, fast * 95 / 100);
  EXPECT_LT(size(ArchiveFormat::kZstd, 19), size(ArchiveFormat::kZstd, 1));
  EXPECT_GT(size(ArchiveFormat::kNone, 0), words.size());
}

TEST(Formats, WhatDoesNotCompressIsStoredAndRepeatsAreNot) {
  std::mt19937_64 random(47);
  const std::string noise = random_bytes(random, format::kFrameSize);
  std::string repeats;
  while (repeats.size() < noise.size()) repeats += noise.substr(0, 4000);
  repeats.resize(noise.size());
  for (const Compression& choice : kChoices) {
    SCOPED_TRACE(name_of(choice));
    const auto packer = make_packer(choice);
    std::vector<std::byte> packed;
    ASSERT_TRUE(packer->pack(as_bytes(noise), packed));
    EXPECT_LT(packed.size(), noise.size() + 200);
    EXPECT_NE(as_text(packed).find(noise.substr(0, 10'000)), std::string::npos);
    ASSERT_TRUE(packer->pack(as_bytes(repeats), packed));
    if (choice.format != ArchiveFormat::kNone) {
      EXPECT_LT(packed.size(), repeats.size() * 3 / 4);
    }
  }
}

// As region files are: pages of packed data, each filled up with zeros.
TEST(Formats, PagesThatArePartlyEmptyAreCompressed) {
  std::mt19937_64 random(53);
  std::string pages;
  while (pages.size() < format::kFrameSize)
    pages += random_bytes(random, 3600) + std::string(496, '\0');
  for (const Compression& choice : {Compression{}, kOtherFormats[0]}) {
    const auto packer = make_packer(choice);
    for (size_t phase = 0; phase < 4096; phase += 256) {
      std::ranges::rotate(pages, pages.begin() + 256);
      std::vector<std::byte> packed;
      ASSERT_TRUE(packer->pack(as_bytes(pages), packed));
      EXPECT_LT(packed.size(), pages.size() * 92 / 100) << name_of(choice) << " " << phase;
    }
  }
}

TEST(Formats, EveryFlippedBitAndEveryCutIsFound) {
  for (const Compression& choice : kOtherFormats) {
    SCOPED_TRACE(name_of(choice));
    const std::string good = small_archive(choice);
    ASSERT_TRUE(verify_bytes(good));
    for (size_t at = 0; at < good.size(); at++) {
      std::string bad = good;
      bad[at] = static_cast<char>(bad[at] ^ (1 << (at % 8)));
      ASSERT_EQ(code_of(verify_bytes(bad)), Code::kDataLoss) << "byte " << at;
    }
    for (size_t size = 0; size < good.size(); size += size < 1100 ? 1 : 13) {
      const auto result = verify_bytes(good.substr(0, size));
      ASSERT_EQ(code_of(result), Code::kDataLoss) << size << " " << message_of(result);
    }
    for (const std::string& more : {std::string(1, '\0'), std::string(512, '\0'), good})
      EXPECT_EQ(code_of(verify_bytes(good + more)), Code::kDataLoss);
  }
}

TEST(Formats, TheIndexGoneIsToldFromAForeignArchive) {
  for (const Compression& choice : kOtherFormats) {
    const std::string good = small_archive(choice);
    MemorySource source(good);
    const auto index = Index::open(source).value();
    ASSERT_TRUE(index);
    const auto result = verify_bytes(good.substr(0, index->tail().entries_offset));
    EXPECT_EQ(code_of(result), Code::kDataLoss);
    EXPECT_NE(message_of(result).find("its index is missing"), std::string::npos)
        << name_of(choice) << message_of(result);
  }
}

TEST(Formats, OtherToolsUnpackOurs) {
  const TempDir temp;
  const fs::path dir = make_tree(temp);
  const auto expected = describe(dir);
  const std::string out = "mkdir out && cd out && ";
  const std::map<std::string, std::vector<std::string>> commands = {
      {"gz", {"gzip -t < a && " + out + "tar -xpzf ../a"}},
      {"zst",
       {out + "tar --zstd -xpf ../a", out + "tar -xpf ../a", out + "bsdtar -xpf ../a",
        out + "zstd -dc ../a | tar -xp", "zstd -qt a && " + out + "bsdtar -xpf - < ../a"}},
      {"none",
       {out + "tar -xpf ../a", out + "bsdtar -xpf ../a",
        out + "set -o pipefail; cat ../a | tar -xp",
        out + "set -o pipefail; cat ../a | bsdtar -xpf -", out + "busybox tar -xpf ../a",
        out + "python3 -c \"import tarfile; tarfile.open('../a').extractall()\"",
        out + "python3 -c \"import tarfile; tarfile.open('../a', 'r|').extractall()\""}}};
  for (const Compression& choice : {kGzipBest, kOtherFormats[0], kOtherFormats[1]}) {
    write_file(temp.path() / "a", pack_bytes(dir, choice));
    for (const std::string& command : commands.at(std::string(choice.format_text()))) {
      SCOPED_TRACE(command);
      EXPECT_TRUE(run_in(temp.path(), "rm -rf out && " + command))
          << read_all(temp.path() / "said");
      // Not a word of complaint.
      EXPECT_EQ(read_all(temp.path() / "said"), "");
      for (const auto& [path, text] : expected) {
        if (!path.starts_with("noise") && path != "random" && path != "repeats") continue;
        EXPECT_EQ(read_all(temp.path() / "out/game" / path), read_all(dir / path)) << path;
      }
      EXPECT_EQ(std::distance(fs::recursive_directory_iterator(temp.path() / "out"), {}),
                static_cast<ptrdiff_t>(expected.size()));
    }
  }
}

TEST(Formats, WeUnpackTarZstOfOthers) {
  const TempDir temp;
  const fs::path dir = make_tree(temp);
  const auto expected = describe(dir);
  const std::vector<std::string> commands = {
      "tar --format=pax --zstd -cf a game",
      "tar --format=pax -c game | zstd -c > a",  // no content size
      "tar --format=pax -c game | zstd --no-check -19 -c > a",
      "tar --format=pax -c game | zstd --long=27 -c > a",
      "tar --format=pax -c game | split -b 700000 - part. && zstd -q part.* && cat part.*.zst > a",
      // A skippable frame first, as pzstd writes them.
      "{ printf '\\x50\\x2a\\x4d\\x18\\x04\\0\\0\\0abcd'; tar --format=pax -c game | zstd -c; } > "
      "a",
      "bsdtar --format=pax --zstd -cf a game",
  };
  for (const std::string& command : commands) {
    SCOPED_TRACE(command);
    ASSERT_TRUE(run_in(temp.path(), "rm -f a part.* && " + command));
    const auto source = FileSource::open(temp.path() / "a").value();
    const TempDir target;
    const auto result = unpack(*source, target.path(), {.strip_prefix = "game"});
    ASSERT_TRUE(result) << message_of(result);
    EXPECT_FALSE(result->indexed);
    EXPECT_EQ(describe(target.path()), expected);
    const std::string whole = read_all(temp.path() / "a");
    EXPECT_EQ(code_of(verify_bytes(whole.substr(0, whole.size() - 5))), Code::kDataLoss);
    EXPECT_EQ(code_of(verify_bytes(whole + "x")), Code::kDataLoss);
    EXPECT_EQ(code_of(verify_bytes(whole + std::string(64, '\x11'))), Code::kDataLoss);
  }
}

// The bytes as one zstd frame, its content size said or not.
std::string zstd(const std::string& bytes, bool with_size, int window_log = 0) {
  const std::unique_ptr<ZSTD_CCtx, size_t (*)(ZSTD_CCtx*)> context(ZSTD_createCCtx(),
                                                                   ZSTD_freeCCtx);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_windowLog, window_log);
  std::string out(ZSTD_compressBound(bytes.size()), '\0');
  ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
  ZSTD_outBuffer to{out.data(), out.size(), 0};
  if (with_size) ZSTD_CCtx_setPledgedSrcSize(context.get(), bytes.size());
  // Begun before the end is known, or zstd would find out the size.
  EXPECT_EQ(ZSTD_isError(ZSTD_compressStream2(context.get(), &to, &in, ZSTD_e_continue)), 0U);
  EXPECT_EQ(ZSTD_compressStream2(context.get(), &to, &in, ZSTD_e_end), 0U);
  out.resize(to.pos);
  return out;
}

std::string plain_tar(const std::string& contents) {
  Entry entry{.path = "bomb", .size_bytes = contents.size(), .mode = 0644};
  std::string bytes = tar_header(entry) + contents;
  bytes.resize((bytes.size() + 511) / 512 * 512 + 1024);
  return bytes;
}

TEST(HostileZstd, BombsAreRefused) {
  const std::string tar = plain_tar(std::string(100 << 20, 'b'));
  for (const bool with_size : {true, false}) {
    const std::string bomb = zstd(tar, with_size);
    ASSERT_LT(bomb.size(), 20U << 10);
    const TempDir target;
    const auto ratio = unpack_bytes(bomb, target.path(), {});
    EXPECT_EQ(code_of(ratio), Code::kInvalidArgument) << message_of(ratio);
    EXPECT_LE(fs::file_size(target.path() / "bomb"), 68U << 20);
    const auto size =
        unpack_bytes(bomb, target.path(), {.max_unpacked_bytes = 1 << 20, .max_ratio = UINT32_MAX});
    EXPECT_EQ(code_of(size), Code::kResourceExhausted) << message_of(size);
  }
}

TEST(HostileZstd, ContentSizesThatLie) {
  std::string frame = zstd(plain_tar(std::string(300'000, 'c')), true);
  ASSERT_TRUE(verify_bytes(frame));
  for (const int change : {1, -1}) {
    // Behind magic, descriptor and perhaps the window: the size, of 4 bytes.
    const size_t at = (frame[4] & 0x20) != 0 ? 5 : 6;
    std::string bad = frame;
    bad[at + 1] = static_cast<char>(bad[at + 1] + change);
    EXPECT_EQ(code_of(verify_bytes(bad)), Code::kDataLoss) << change;
  }
}

TEST(HostileZstd, WindowsBeyondTheLimitAreRefused) {
  const std::string tar = plain_tar("contents");
  EXPECT_TRUE(verify_bytes(zstd(tar, false, 27)));
  const auto refused = verify_bytes(zstd(tar, false, 28));
  EXPECT_EQ(code_of(refused), Code::kUnimplemented);
  EXPECT_NE(message_of(refused).find("128 MiB"), std::string::npos) << message_of(refused);
}

TEST(HostileZstd, WhatIsNoStream) {
  const std::string good = zstd(plain_tar("contents"), true);
  const std::string skippable("\x50\x2a\x4d\x18\x04\0\0\0abcd", 12);
  EXPECT_TRUE(verify_bytes(skippable + good + skippable));
  for (const std::string& bad : {skippable, skippable.substr(0, 9), good + skippable.substr(0, 9),
                                 good + good, good.substr(0, 4), good.substr(0, 6),
                                 std::string("\x50\x2a\x4d\x18\xff\xff\xff\xff", 8) + good})
    EXPECT_EQ(code_of(verify_bytes(bad)), Code::kDataLoss);
}

TEST(HostileZstd, FramesThatAreNotOfTheirSize) {
  for (const ArchiveFormat format : kAllFormats) {
    const auto packer = make_packer(Compression::default_of(format));
    const auto unpacker = make_unpacker(format);
    const std::string text(100'000, 't');
    std::vector<std::byte> packed;
    const format::FrameRecord good = packer->pack(as_bytes(text), packed).value();
    packed.resize(packed.size() + FrameUnpacker::kRoom);
    std::vector<std::byte> raw(text.size());
    ASSERT_TRUE(unpacker->unpack(good, packed, raw));
    for (const uint32_t size : {1U, good.raw_size - 1, good.raw_size + 1, format::kFrameSize}) {
      format::FrameRecord lie = good;
      lie.raw_size = size;
      raw.assign(size, {});
      EXPECT_EQ(code_of(unpacker->unpack(lie, packed, raw)), Code::kDataLoss) << size;
    }
  }
}

}  // namespace
}  // namespace manman::archive::test
