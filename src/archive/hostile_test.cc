#include <zlib.h>

#include "archive/tar_parser.h"
#include "archive/tar_writer.h"
#include "archive/test_support.h"

// Archives made to harm: nothing may leave the target, crash, hang or fill the disk.
namespace manman::archive::test {
namespace {

std::string pad(std::string bytes) {
  bytes.resize((bytes.size() + 511) / 512 * 512);
  return bytes;
}

std::string item(const Entry& entry, const std::string& contents = "") {
  Entry sized = entry;
  if (entry.kind == EntryKind::kFile) sized.size_bytes = contents.size();
  return tar_header(sized) + pad(contents);
}
std::string file(const std::string& path, const std::string& contents = "x") {
  return item({.path = path, .mode = 0644}, contents);
}
std::string folder(const std::string& path) {
  return item({.path = path, .kind = EntryKind::kFolder, .mode = 0755});
}
std::string link(EntryKind kind, const std::string& path, const std::string& target) {
  return item({.path = path, .kind = kind, .mode = 0777, .link_target = target});
}
const std::string kEnd(1024, '\0');

// A header block with a field changed and the checksum right again.
std::string with_field(std::string header, size_t at, std::string_view value) {
  header.replace(at, value.size(), value);
  header.replace(148, 8, 8, ' ');
  unsigned sum = 0;
  for (const char byte : header.substr(0, 512)) sum += static_cast<unsigned char>(byte);
  char text[8];
  std::snprintf(text, sizeof text, "%06o", sum);
  return header.replace(148, 7, std::string_view(text, 7));
}

std::string pax(const std::string& records) {
  std::string header = file("x", records);
  return with_field(header.substr(0, 512), 156, "x") + header.substr(512);
}
std::string record(const std::string& key, const std::string& value) {
  std::string text = " " + key + "=" + value + "\n";
  size_t size = text.size() + 1;
  while (std::to_string(size).size() + text.size() != size) size++;
  return std::to_string(size) + text;
}

std::string gzip(const std::string& bytes) {
  std::string out(compressBound(bytes.size()) + 64, '\0');
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

// A target inside a folder with something precious beside it; says whether it is untouched.
struct Arena {
  TempDir temp;
  fs::path target = temp.make("target");
  Arena() {
    fs::create_directory(temp.path() / "outside");
    write_file(temp.path() / "outside/precious", "untouched");
  }
  void expect_outside_untouched() const {
    EXPECT_EQ(read_all(temp.path() / "outside/precious"), "untouched");
    EXPECT_EQ(fs::hard_link_count(temp.path() / "outside/precious"), 1U);
    EXPECT_EQ(std::distance(fs::directory_iterator(temp.path() / "outside"), {}), 1);
    EXPECT_EQ(std::distance(fs::directory_iterator(temp.path()), {}), 2);
  }
};

TEST(Hostile, PathsThatLeaveTheTarget) {
  using enum EntryKind;
  const std::string up = "../outside/precious";
  const std::vector<std::string> archives = {
      file(up),
      file("a/../../outside/precious"),
      file("./../outside/precious"),
      file("game/.."),
      file("/tmp/manman-hostile-absolute"),
      folder("../outside/new"),
      link(kSymlink, "../outside/link", "x"),
      link(kHardLink, "stolen", up),
      link(kHardLink, "stolen", "/etc/passwd"),
      link(kSymlink, "out", "../outside") + file("out/precious"),
      link(kSymlink, "out", "../outside") + folder("out/new"),
      link(kSymlink, "out", "../outside") + link(kSymlink, "out/link", "x"),
      link(kSymlink, "out", "../outside") + link(kHardLink, "stolen", "out/precious"),
      link(kSymlink, "a", ".") + link(kSymlink, "a/b", "..") + file("a/b/outside/precious"),
      link(kSymlink, "precious", up) + link(kHardLink, "stolen", "precious"),
      folder("f") + link(kSymlink, "f/up", "../../outside") + file("f/up/precious"),
      pax(record("path", up)) + file("innocent"),
      pax(record("linkpath", up)) + link(kHardLink, "stolen", "innocent"),
  };
  for (size_t i = 0; i < archives.size(); i++) {
    for (const bool compressed : {true, false}) {
      const Arena arena;
      const std::string bytes = archives[i] + kEnd;
      const auto result = unpack_bytes(compressed ? gzip(bytes) : bytes, arena.target, {});
      EXPECT_EQ(code_of(result), Code::kInvalidArgument) << "archive " << i << message_of(result);
      arena.expect_outside_untouched();
      EXPECT_FALSE(fs::exists("/tmp/manman-hostile-absolute"));
    }
  }
}

TEST(Hostile, ASymlinkIsReplacedAndNotFollowed) {
  using enum EntryKind;
  for (const std::string& second : {file("out", "mine"), folder("out")}) {
    const Arena arena;
    const std::string bytes = link(kSymlink, "out", "../outside/precious") + second + kEnd;
    const auto result = unpack_bytes(bytes, arena.target, {});
    ASSERT_TRUE(result) << message_of(result);
    EXPECT_FALSE(fs::is_symlink(arena.target / "out"));
    arena.expect_outside_untouched();
  }
}

TEST(Hostile, LinksThatStoodThereBeforeAreNotFollowed) {
  const Arena arena;
  fs::create_symlink("../outside", arena.target / "way");
  fs::create_symlink("../outside/precious", arena.target / "file");
  EXPECT_EQ(code_of(unpack_bytes(file("way/precious") + kEnd, arena.target, {})),
            Code::kInvalidArgument);
  EXPECT_TRUE(unpack_bytes(file("file", "mine") + kEnd, arena.target, {}));
  EXPECT_EQ(read_all(arena.target / "file"), "mine");
  arena.expect_outside_untouched();
}

TEST(Hostile, AHardLinkToAFileThatWasThereBefore) {
  const Arena arena;
  write_file(arena.target / "old", "old");
  // The clock that stamps files ticks every few ms; wait until it has.
  struct stat before{};
  struct stat now{};
  ASSERT_EQ(::stat((arena.target / "old").c_str(), &before), 0);
  do {
    write_file(arena.target / "tick", "");
    ASSERT_EQ(::stat((arena.target / "tick").c_str(), &now), 0);
  } while (now.st_ctim.tv_sec == before.st_ctim.tv_sec &&
           now.st_ctim.tv_nsec == before.st_ctim.tv_nsec);
  const auto result =
      unpack_bytes(link(EntryKind::kHardLink, "new", "old") + kEnd, arena.target, {});
  EXPECT_EQ(code_of(result), Code::kInvalidArgument) << message_of(result);
  EXPECT_EQ(fs::hard_link_count(arena.target / "old"), 1U);
}

TEST(Hostile, StandingOutsideThePrefix) {
  const Arena arena;
  for (const std::string path : {"gamey/file", "other", "gam", "game"}) {
    const auto result = unpack_bytes(file(path) + kEnd, arena.target);
    EXPECT_EQ(code_of(result), Code::kInvalidArgument) << path;
    EXPECT_NE(message_of(result).find(path), std::string::npos);
  }
}

TEST(Hostile, KindsThatAreRefusedByName) {
  const Arena arena;
  for (const char type : {'3', '4', '6', 'M', 'D', 'Z'}) {
    const std::string bytes = with_field(file("strange", ""), 156, std::string(1, type)) + kEnd;
    const auto result = unpack_bytes(bytes, arena.target, {});
    EXPECT_EQ(code_of(result), Code::kInvalidArgument);
    EXPECT_NE(message_of(result).find("strange"), std::string::npos);
  }
  EXPECT_TRUE(fs::is_empty(arena.target));
}

TEST(Hostile, AFileNeverReplacesAFolder) {
  const Arena arena;
  const auto result = unpack_bytes(folder("a") + file("a/b") + file("a") + kEnd, arena.target, {});
  EXPECT_EQ(code_of(result), Code::kInvalidArgument);
  EXPECT_TRUE(fs::exists(arena.target / "a/b"));
  const auto below = unpack_bytes(file("f") + file("f/g") + kEnd, arena.target, {});
  EXPECT_EQ(code_of(below), Code::kInvalidArgument);
}

TEST(Hostile, ALaterEntryReplacesAnEarlierFile) {
  const Arena arena;
  ASSERT_TRUE(
      unpack_bytes(file("a", "first") + file("a", "second, longer") + file("a", "3rd") + kEnd,
                   arena.target, {}));
  EXPECT_EQ(read_all(arena.target / "a"), "3rd");
}

TEST(Hostile, HeadersThatCanNotBe) {
  const std::string good = file("name", "contents");
  std::string bad_sum = good;
  bad_sum[0] = 'N';
  const std::string long_record = "9999999999999 path=x\n";
  const std::vector<std::string> archives = {
      bad_sum + kEnd,
      with_field(good, 124, "zzzzzzzzzzz") + kEnd,
      with_field(good, 124, std::string("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 12)) +
          kEnd,
      with_field(good, 124, std::string("\x80\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 12)) +
          kEnd,
      with_field(good, 124, std::string("\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff", 12)) + kEnd,
      with_field(good, 124, "77777777777") + kEnd,
      with_field(good, 108, "9999999") + kEnd,
      with_field(good, 0, std::string(100, '\0')) + kEnd,
      pax(long_record) + good + kEnd,
      pax("5 =b\n") + good + kEnd,
      pax("0 path=x\n") + good + kEnd,
      pax("-9 path=x\n") + good + kEnd,
      pax("10 path=xyz") + good + kEnd,
      pax("11 pathxyz\n") + good + kEnd,
      pax(record("path", std::string("a\0b", 3))) + good + kEnd,
      pax(record("size", "-1")) + good + kEnd,
      pax(record("size", "99999999999999999999")) + good + kEnd,
      pax(record("size", "9223372036854775807")) + good + kEnd,
      pax(record("mtime", "soon")) + good + kEnd,
      pax(record("mtime", "1e400")) + good + kEnd,
      pax(record("mtime", "1e9")) + good + kEnd,
      pax(record("mtime", "1e-09x")) + good + kEnd,
      pax(record("uid", "4294967295")) + good + kEnd,
      pax(record("path", "x")),
      pax(record("path", "x")) + kEnd,
      pax(record("GNU.sparse.map", "0,8,4,8") + record("GNU.sparse.size", "100")) + good + kEnd,
      pax(record("GNU.sparse.map", "0,8,8") + record("GNU.sparse.size", "100")) + good + kEnd,
      pax(record("GNU.sparse.map", "0,8") + record("GNU.sparse.size", "4")) + good + kEnd,
      pax(record("GNU.sparse.map", "0,7") + record("GNU.sparse.size", "9")) + good + kEnd,
      pax(record("GNU.sparse.map", "9223372036854775807,8") + record("GNU.sparse.size", "9")) +
          good + kEnd,
      pax(record("GNU.sparse.major", "1") + record("GNU.sparse.realsize", "9")) + good + kEnd,
      pax(record("GNU.sparse.numbytes", "9")) + good + kEnd,
      good,
      good.substr(0, 512),
      good.substr(0, 300),
      good + std::string(512, '\0') + good + kEnd,
      good + kEnd + good + kEnd,
      std::string(100, 'x'),
      "not an archive at all, only some text that someone uploaded by mistake\n",
  };
  for (size_t i = 0; i < archives.size(); i++) {
    for (const bool compressed : {true, false}) {
      const Arena arena;
      const auto result =
          unpack_bytes(compressed ? gzip(archives[i]) : archives[i], arena.target, {});
      EXPECT_EQ(code_of(result), Code::kDataLoss) << "archive " << i << " " << message_of(result);
      EXPECT_GT(message_of(result).size(), 15U);
    }
  }
}

TEST(Hostile, HeadersThatAreOddButRight) {
  const auto of_type = [](const std::string& header, const std::string& type) {
    return with_field(header.substr(0, 512), 156, type) + header.substr(512);
  };
  const std::string global = of_type(file("pax_global_header", record("comment", "0123abcd")), "g");
  const std::string label = of_type(file("volume", ""), "V");
  const std::string dated = pax(record("mtime", "-0.75") + record("hdrcharset", "BINARY") +
                                record("SCHILY.xattr.user.x", std::string("a\0b", 3)));
  const Arena arena;
  const auto result =
      unpack_bytes(global + label + dated + file("./a//b/", "") + pax(record("mtime", "-5e-09")) +
                       file("c", "contents") + global + kEnd + std::string(8192, '\0'),
                   arena.target, {});
  ASSERT_TRUE(result) << message_of(result);
  EXPECT_EQ(result->entries, 2U);
  EXPECT_TRUE(fs::is_directory(arena.target / "a/b"));
  EXPECT_EQ(read_all(arena.target / "c"), "contents");
  struct stat info{};
  ASSERT_EQ(::stat((arena.target / "a/b").c_str(), &info), 0);
  EXPECT_EQ(info.st_mtim.tv_sec, -1);
  EXPECT_EQ(info.st_mtim.tv_nsec, 250'000'000);
  ASSERT_EQ(::stat((arena.target / "c").c_str(), &info), 0);
  EXPECT_EQ(info.st_mtim.tv_sec, -1);
  EXPECT_EQ(info.st_mtim.tv_nsec, 999'999'995);
}

TEST(Hostile, AHardLinkToWhatIsNotInTheArchive) {
  const Arena arena;
  const std::string bytes = file("a") + link(EntryKind::kHardLink, "b", "missing") + kEnd;
  for (const UnpackOptions& options : {UnpackOptions{}, UnpackOptions{.only = {"b"}}}) {
    const auto result = unpack_bytes(bytes, arena.target, options);
    EXPECT_EQ(code_of(result), Code::kInvalidArgument);
    EXPECT_NE(message_of(result).find("missing"), std::string::npos) << message_of(result);
  }
}

TEST(Hostile, PathsAndHeadersBeyondTheLimits) {
  const Arena arena;
  const std::string long_path = "a" + std::string(4096, '/') + std::string(4000, 'b');
  const auto path =
      unpack_bytes(pax(record("path", long_path)) + file("x") + kEnd, arena.target, {});
  EXPECT_EQ(code_of(path), Code::kInvalidArgument) << message_of(path);
  const auto name = unpack_bytes(file(std::string(256, 'n')) + kEnd, arena.target, {});
  EXPECT_EQ(code_of(name), Code::kInvalidArgument) << message_of(name);
  const auto big = unpack_bytes(
      pax(record("comment", std::string((1 << 20) + 1, 'c'))) + file("x") + kEnd, arena.target, {});
  EXPECT_EQ(code_of(big), Code::kDataLoss) << message_of(big);
  EXPECT_TRUE(fs::is_empty(arena.target));
}

TEST(Hostile, BombsAreRefused) {
  const Arena arena;
  const std::string bomb = gzip(file("bomb", std::string(100 << 20, 'b')) + kEnd);
  ASSERT_LT(bomb.size(), 200U << 10);
  const auto ratio = unpack_bytes(bomb, arena.target, {});
  EXPECT_EQ(code_of(ratio), Code::kInvalidArgument) << message_of(ratio);
  EXPECT_LE(fs::file_size(arena.target / "bomb"), 68U << 20);
  const auto size =
      unpack_bytes(bomb, arena.target, {.max_unpacked_bytes = 1 << 20, .max_ratio = 5000});
  EXPECT_EQ(code_of(size), Code::kResourceExhausted) << message_of(size);
  EXPECT_TRUE(
      unpack_bytes(bomb, arena.target, {.max_unpacked_bytes = 300 << 20, .max_ratio = 5000}));

  // An index says beforehand how much there is.
  const TempDir temp;
  write_file(temp.make("game") / "bomb", std::string(100 << 20, 'b'));
  const TempDir target;
  const auto claimed = unpack_bytes(pack_bytes(temp.path() / "game"), target.path(),
                                    {.strip_prefix = "game", .max_unpacked_bytes = 1 << 20});
  EXPECT_EQ(code_of(claimed), Code::kResourceExhausted);
  EXPECT_NE(message_of(claimed).find("104857600"), std::string::npos) << message_of(claimed);
  EXPECT_NE(message_of(claimed).find("1048576"), std::string::npos);
  EXPECT_TRUE(fs::is_empty(target.path()));
}

// However well they compress: what they unpack to, their index says, but for zeros, which are
// holes.
TEST(Hostile, OwnArchivesAreNoBombs) {
  const TempDir temp;
  const fs::path dir = temp.make("game");
  write_file(dir / "letters", std::string(100 << 20, 'b'));
  write_file(dir / "zeros", std::string(70 << 20, '\0'));
  std::mt19937_64 random(1);
  for (int i = 0; i < 300; i++)
    write_file(dir / std::to_string(i), std::string(65'536 - i, '\0') + "x");
  for (const Compression& compression :
       {Compression{ArchiveFormat::kGzip, Compression::kGzipBest},
        Compression{ArchiveFormat::kZstd, 19}, Compression{ArchiveFormat::kZstd, 3}}) {
    const std::string bytes = pack_bytes(dir, compression);
    ASSERT_LT(bytes.size() * kUsualMaxRatio, 100U << 20);
    const TempDir target;
    const auto unpacked = unpack_bytes(bytes, target.path());
    ASSERT_TRUE(unpacked) << message_of(unpacked);
    EXPECT_EQ(describe(target.path()), describe(dir));
    const TempDir other;
    EXPECT_EQ(
        code_of(unpack_bytes(bytes, other.path(), {.strip_prefix = "game", .max_ratio = 200})),
        Code::kInvalidArgument);
  }
}

// Streams by chance from valid parts: whatever comes, an answer and nothing outside.
TEST(Hostile, ChangedBytesOfForeignArchives) {
  using enum EntryKind;
  const std::string good = folder("f") + file("f/a", std::string(700, 'a')) +
                           link(kSymlink, "f/s", "../../outside") + link(kHardLink, "f/h", "f/a") +
                           pax(record("path", "f/long") + record("mtime", "1.5")) + file("x") +
                           kEnd;
  std::mt19937_64 random(17);
  for (int i = 0; i < 1500; i++) {
    std::string bad = good;
    for (size_t k = 1 + random() % 3; k > 0; k--) {
      const size_t at = random() % bad.size();
      bad[at] = static_cast<char>(random());
      // Half the time the checksum is made right, so that the change gets further.
      if (random() % 2 == 0) {
        const size_t block = at / 512 * 512;
        bad.replace(block, 512,
                    with_field(bad.substr(block, 512), 156, bad.substr(block + 156, 1)));
      }
    }
    const Arena arena;
    const auto result = unpack_bytes(bad, arena.target, {});
    EXPECT_GT(message_of(result).size(), 8U);
    arena.expect_outside_untouched();
  }
}

}  // namespace
}  // namespace manman::archive::test
