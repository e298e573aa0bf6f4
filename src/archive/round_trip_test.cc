#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "archive/test_support.h"

namespace manman::archive::test {
namespace {

// Packs dir, unpacks it elsewhere, and expects the same.
void expect_round_trip(const fs::path& dir) {
  PackResult packed;
  const std::string bytes = pack_bytes(dir, &packed);
  EXPECT_EQ(packed.archive_size_bytes, bytes.size());
  EXPECT_EQ(to_hex(packed.sha256), to_hex(Sha256::of(as_bytes(bytes))));
  EXPECT_EQ(packed.warning_count, 0U);

  const auto verified = verify_bytes(bytes);
  ASSERT_TRUE(verified) << message_of(verified);
  EXPECT_TRUE(verified->indexed);
  EXPECT_EQ(verified->entries, packed.entries);
  EXPECT_EQ(verified->data_size_bytes, packed.data_size_bytes);
  EXPECT_EQ(verified->sha256, packed.sha256);

  const TempDir target;
  const auto unpacked = unpack_bytes(bytes, target.path());
  ASSERT_TRUE(unpacked) << message_of(unpacked);
  EXPECT_EQ(unpacked->entries, packed.entries);
  EXPECT_EQ(unpacked->data_size_bytes, packed.data_size_bytes);
  EXPECT_TRUE(unpacked->indexed);
  EXPECT_EQ(describe(dir), describe(target.path()));
}

// Bytes that the process has asked for by read() and its like.
uint64_t read_so_far() {
  std::ifstream file("/proc/self/io");
  std::string word;
  uint64_t bytes = 0;
  file >> word >> bytes;
  EXPECT_EQ(word, "rchar:");
  return bytes;
}

TEST(RoundTrip, EmptyFolder) {
  const TempDir temp;
  expect_round_trip(temp.make("game"));
}

TEST(RoundTrip, NamesOfAnyBytesAndLengths) {
  const TempDir temp;
  const fs::path dir = temp.make("game");
  std::string all;
  for (int byte = 1; byte < 256; byte++)
    if (byte != '/') all += static_cast<char>(byte);
  write_file(dir / all.substr(0, 127), "low");
  write_file(dir / all.substr(127), "high");
  write_file(dir / std::string(255, 'n'), "long");
  write_file(dir / "Grüße aus Köln.txt", "utf-8");
  write_file(dir / "new\nline", "");
  write_file(dir / "\\back", "");
  write_file(dir / " ", "space");
  fs::path deep = dir;
  for (int i = 0; i < 3; i++) {
    deep /= std::string(90, static_cast<char>('a' + i));
    fs::create_directory(deep);
    for (const int size : {1, 8, 9, 10, 98, 99, 100, 101, 155, 156})
      write_file(deep / std::string(static_cast<size_t>(size), 'f'), std::to_string(size));
  }
  expect_round_trip(dir);
}

TEST(RoundTrip, PathsUpToTheLimitAndNoFurther) {
  const TempDir temp;
  const fs::path dir = temp.make("game");
  // 17 folders of 240 bytes and a file: "game" + 17 * 241 = 4,101 would be too long, so 16.
  UniqueFd at(::open(dir.c_str(), O_RDONLY | O_DIRECTORY));
  for (int i = 0; i < 16; i++) {
    const std::string name(240, static_cast<char>('a' + i));
    ASSERT_EQ(::mkdirat(at.get(), name.c_str(), 0755), 0);
    at = UniqueFd(::openat(at.get(), name.c_str(), O_RDONLY | O_DIRECTORY));
  }
  const size_t left = 4096 - 4 - 16 * 241 - 1;
  const std::string name(left, 'z');
  const UniqueFd file(::openat(at.get(), name.c_str(), O_CREAT | O_WRONLY, 0644));
  ASSERT_EQ(::write(file.get(), "deep", 4), 4);

  const std::string bytes = pack_bytes(dir);
  const TempDir target;
  const auto unpacked = unpack_bytes(bytes, target.path());
  ASSERT_TRUE(unpacked) << message_of(unpacked);
  EXPECT_EQ(unpacked->entries, 18U);
  // Packed again from the copy it must be the same archive, times and all.
  EXPECT_EQ(pack_bytes(target.path()), bytes);

  const UniqueFd longer(::openat(at.get(), (name + "z").c_str(), O_CREAT | O_WRONLY, 0644));
  MemorySink sink;
  const auto refused = pack(dir, sink, {});
  EXPECT_EQ(code_of(refused), Code::kInvalidArgument);
  EXPECT_NE(message_of(refused).find("longer than an archive can hold"), std::string::npos);
}

TEST(RoundTrip, TimesModesLinks) {
  const TempDir temp;
  const fs::path dir = temp.make("game");
  const std::vector<std::pair<int64_t, long>> times = {{0, 0},
                                                       {1'700'000'000, 123'456'789},
                                                       {1'700'000'000, 1},
                                                       {1'700'000'000, 999'999'999},
                                                       {-1, 250'000'000},
                                                       {-100, 0},
                                                       {4'000'000'000, 500}};
  for (size_t i = 0; i < times.size(); i++) {
    const fs::path file = dir / ("time" + std::to_string(i));
    write_file(file, "t");
    set_mtime(file, times[i].first, times[i].second);
  }
  for (const mode_t mode : {0000, 0400, 0444, 0600, 0644, 0755, 0777}) {
    const fs::path file = dir / ("mode" + std::to_string(mode));
    write_file(file, "m");
    ASSERT_EQ(::chmod(file.c_str(), mode), 0);
  }
  fs::create_directory(dir / "empty");
  fs::create_directories(dir / "readonly/inner");
  write_file(dir / "readonly/inner/file", "inside");
  fs::create_symlink("../somewhere/else", dir / "dangling");
  fs::create_symlink("time1", dir / "link");
  fs::create_symlink("/etc", dir / "absolute");
  fs::create_symlink(std::string(300, 'l'), dir / "longlink");
  set_mtime(dir / "link", 1'600'000'000, 42);
  write_file(dir / "hard-b", "shared");
  fs::create_hard_link(dir / "hard-b", dir / "hard-a");
  fs::create_hard_link(dir / "hard-b", dir / "readonly/hard-c");
  ASSERT_EQ(::chmod((dir / "readonly/inner").c_str(), 0555), 0);
  ASSERT_EQ(::chmod((dir / "readonly").c_str(), 0500), 0);
  set_mtime(dir / "readonly", 1'500'000'000, 7);
  set_mtime(dir, 1'400'000'000, 9);
  expect_round_trip(dir);
}

TEST(RoundTrip, SetIdBitsAreDropped) {
  const TempDir temp;
  const fs::path dir = temp.make("game");
  write_file(dir / "tool", "x");
  ASSERT_EQ(::chmod((dir / "tool").c_str(), 06755), 0);
  const TempDir target;
  ASSERT_TRUE(unpack_bytes(pack_bytes(dir), target.path()));
  struct stat info{};
  ASSERT_EQ(::stat((target.path() / "tool").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0755U);
}

TEST(RoundTrip, SparseFilesBeyond8GiBKeepTheirHoles) {
  const TempDir temp;
  const fs::path dir = temp.make("game");
  constexpr off_t kSize = (off_t{8} << 30) + (off_t{5} << 20) + 123;
  {
    const UniqueFd fd(::open((dir / "huge").c_str(), O_CREAT | O_WRONLY, 0644));
    ASSERT_EQ(::pwrite(fd.get(), "start", 5, 0), 5);
    ASSERT_EQ(::pwrite(fd.get(), "middle", 6, (off_t{4} << 30) + 777), 6);
    ASSERT_EQ(::ftruncate(fd.get(), kSize), 0);
    ASSERT_EQ(::pwrite(fd.get(), "end", 3, kSize - 3), 3);
  }
  write_file(dir / "zeros", std::string(3 << 20, '\0'));
  PackResult packed;
  const uint64_t read_before = read_so_far();
  const std::string bytes = pack_bytes(dir, &packed);
  EXPECT_LT(read_so_far() - read_before, 8U << 20) << "holes are not to be read";
  EXPECT_LT(bytes.size(), 20U << 20);
  EXPECT_EQ(packed.data_size_bytes, static_cast<uint64_t>(kSize) + (3 << 20));

  const TempDir target;
  const auto unpacked = unpack_bytes(bytes, target.path());
  ASSERT_TRUE(unpacked) << message_of(unpacked);
  struct stat info{};
  ASSERT_EQ(::stat((target.path() / "huge").c_str(), &info), 0);
  EXPECT_EQ(info.st_size, kSize);
  EXPECT_LE(info.st_blocks * 512, 1 << 20);
  const UniqueFd fd(::open((target.path() / "huge").c_str(), O_RDONLY));
  char buffer[6];
  ASSERT_EQ(::pread(fd.get(), buffer, 6, (off_t{4} << 30) + 777), 6);
  EXPECT_EQ(std::string(buffer, 6), "middle");
  ASSERT_EQ(::pread(fd.get(), buffer, 3, kSize - 3), 3);
  EXPECT_EQ(std::string(buffer, 3), "end");
  EXPECT_EQ(read_all(target.path() / "zeros"), std::string(3 << 20, '\0'));
}

TEST(RoundTrip, SizesRoundTheFramesEdges) {
  const TempDir temp;
  const fs::path dir = temp.make("game");
  std::mt19937_64 random(1);
  int number = 0;
  for (const size_t size : {0, 1, 511, 512, 513, 65535, 65536, 65537, (1 << 20) - 2048,
                            (1 << 20) - 512, 1 << 20, (1 << 20) + 1, 3 << 20})
    write_file(dir / ("f" + std::to_string(number++)), noise(random, size));
  std::string incompressible(2 << 20, '\0');
  for (char& byte : incompressible) byte = static_cast<char>(random());
  write_file(dir / "random", incompressible);
  expect_round_trip(dir);
}

// Trees by chance; the seed is in the failure's trace.
TEST(RoundTrip, RandomTrees) {
  for (uint64_t seed = 1; seed <= 12; seed++) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    const TempDir temp;
    const fs::path dir = temp.make("game");
    std::vector<fs::path> folders = {dir};
    std::vector<fs::path> files;
    const int count = 20 + static_cast<int>(random() % 80);
    for (int i = 0; i < count; i++) {
      const fs::path parent = folders[random() % folders.size()];
      std::string name = std::to_string(i);
      for (size_t k = random() % 60; k > 0; k--) {
        const auto byte = static_cast<char>(1 + random() % 255);
        name += byte == '/' ? '_' : byte;
      }
      const fs::path path = parent / name;
      switch (random() % 8) {
        case 0:
        case 1:
          fs::create_directory(path);
          folders.push_back(path);
          break;
        case 2:
          fs::create_symlink("t" + name, path);
          break;
        case 3:
          if (!files.empty()) fs::create_hard_link(files[random() % files.size()], path);
          break;
        case 4: {  // sparse
          const UniqueFd fd(::open(path.c_str(), O_CREAT | O_WRONLY, 0644));
          for (int k = 0; k < 3; k++) {
            const std::string part = noise(random, 1 + random() % 20000);
            ASSERT_GT(::pwrite(fd.get(), part.data(), part.size(),
                               static_cast<off_t>(random() % (4 << 20))),
                      0);
          }
          files.push_back(path);
          break;
        }
        default:
          write_file(path, noise(random, random() % (random() % 10 == 0 ? 3 << 20 : 3000)));
          files.push_back(path);
      }
    }
    for (const fs::path& path : files) {
      ASSERT_EQ(::chmod(path.c_str(), random() % 01000), 0);
      set_mtime(path, static_cast<int64_t>(random() % 4'000'000'000), random() % 1'000'000'000);
    }
    for (size_t i = folders.size(); i-- > 0;)
      set_mtime(folders[i], static_cast<int64_t>(random() % 2'000'000'000),
                random() % 1'000'000'000);
    expect_round_trip(dir);
  }
}

TEST(RoundTrip, TheSameTreeGivesTheSameArchiveWhateverTheThreads) {
  const TempDir temp;
  const fs::path dir = temp.make("game");
  std::mt19937_64 random(7);
  for (int i = 0; i < 40; i++) write_file(dir / std::to_string(i), noise(random, 200'000));
  const std::string one = pack_bytes(dir, nullptr, 1);
  EXPECT_EQ(pack_bytes(dir, nullptr, 2), one);
  EXPECT_EQ(pack_bytes(dir, nullptr, 16), one);
}

TEST(RoundTrip, ManyEntriesSpanSeveralBlocksOfTheIndex) {
  const TempDir temp;
  const fs::path dir = temp.make("game");
  for (int i = 0; i < 5000; i++) write_file(dir / ("file-" + std::to_string(i)), std::to_string(i));
  expect_round_trip(dir);
  MemorySource source(pack_bytes(dir));
  uint64_t seen = 0;
  ASSERT_TRUE(list(source, [&](const Entry&) { return ++seen < 4000; }));
  EXPECT_EQ(seen, 4000U);
}

TEST(Pack, SpecialFilesAreNamedAndLeftOut) {
  const TempDir temp;
  const fs::path dir = temp.make("game");
  write_file(dir / "file", "x");
  ASSERT_EQ(::mkfifo((dir / "pipe").c_str(), 0644), 0);
  const UniqueFd listener(::socket(AF_UNIX, SOCK_STREAM, 0));
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  std::strncpy(address.sun_path, (dir / "sock").c_str(), sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  PackResult packed;
  pack_bytes(dir, &packed);
  EXPECT_EQ(packed.entries, 2U);
  EXPECT_EQ(packed.warnings,
            (std::vector<std::string>{"game/pipe is a fifo; not in the archive",
                                      "game/sock is a socket; not in the archive"}));
}

TEST(Pack, FoldersDeeperThanDescriptorsAllow) {
  const TempDir temp;
  const fs::path dir = temp.make("game");
  UniqueFd at(::open(dir.c_str(), O_RDONLY | O_DIRECTORY));
  for (int i = 0; i < 600; i++) {
    ASSERT_EQ(::mkdirat(at.get(), "d", 0755), 0);
    at = UniqueFd(::openat(at.get(), "d", O_RDONLY | O_DIRECTORY));
    ASSERT_TRUE(at);
    const UniqueFd file(::openat(at.get(), "z", O_CREAT | O_WRONLY, 0644));  // after the folder
  }
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  const rlimit low{256, limit.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
  PackResult packed;
  const std::string bytes = pack_bytes(dir, &packed);
  const TempDir target;
  const auto unpacked = unpack_bytes(bytes, target.path());
  EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
  EXPECT_EQ(packed.entries, 1201U);
  ASSERT_TRUE(unpacked) << message_of(unpacked);
  EXPECT_EQ(pack_bytes(target.path()), bytes);
}

TEST(Pack, WhatIsNotThereOrNoFolder) {
  const TempDir temp;
  write_file(temp.path() / "file", "x");
  MemorySink sink;
  EXPECT_EQ(code_of(pack(temp.path() / "missing", sink, {})), Code::kNotFound);
  EXPECT_EQ(code_of(pack(temp.path() / "file", sink, {})), Code::kInvalidArgument);
}

TEST(Unpack, OnlyWhatIsAskedForReadsOnlyItsFrames) {
  const TempDir temp;
  const fs::path dir = temp.make("game");
  std::mt19937_64 random(3);
  fs::create_directories(dir / "world/region");
  for (int i = 0; i < 12; i++)
    write_file(dir / "world/region" / ("r" + std::to_string(i)), noise(random, 1 << 20));
  write_file(dir / "world/level.dat", "level");
  fs::create_hard_link(dir / "world/region/r3", dir / "zz-link");
  fs::create_hard_link(dir / "world/region/r3", dir / "zz-link2");
  const std::string bytes = pack_bytes(dir);

  const TempDir target;
  MemorySource source(bytes);
  const auto one =
      unpack(source, target.path(),
             {.only = {"game/world/region/r5", "game/world/level.dat"}, .strip_prefix = "game"});
  ASSERT_TRUE(one) << message_of(one);
  EXPECT_EQ(one->entries, 2U);
  EXPECT_EQ(read_all(target.path() / "world/region/r5"), read_all(dir / "world/region/r5"));
  EXPECT_EQ(read_all(target.path() / "world/level.dat"), "level");
  EXPECT_FALSE(fs::exists(target.path() / "world/region/r4"));
  EXPECT_LT(source.read_bytes(), bytes.size() / 2);

  // A hard link brings the file that it names along, and a second one shares it.
  const TempDir links;
  const auto linked = unpack_bytes(
      bytes, links.path(), {.only = {"game/zz-link", "game/zz-link2"}, .strip_prefix = "game"});
  ASSERT_TRUE(linked) << message_of(linked);
  EXPECT_EQ(read_all(links.path() / "zz-link"), read_all(dir / "world/region/r3"));
  EXPECT_EQ(fs::hard_link_count(links.path() / "zz-link"), 2U);
  EXPECT_FALSE(fs::exists(links.path() / "world"));

  const auto missing = unpack_bytes(bytes, target.path(), {.only = {"game/nope"}});
  EXPECT_EQ(code_of(missing), Code::kNotFound);
  EXPECT_NE(message_of(missing).find("game/nope"), std::string::npos);
}

TEST(Cat, GivesOneFile) {
  const TempDir temp;
  const fs::path dir = temp.make("game");
  std::mt19937_64 random(5);
  for (int i = 0; i < 6; i++) write_file(dir / std::to_string(i), noise(random, 1 << 20));
  fs::create_hard_link(dir / "3", dir / "link");
  fs::create_symlink("3", dir / "symlink");
  const std::string bytes = pack_bytes(dir);
  MemorySource source(bytes);
  for (const std::string name : {"3", "link"}) {
    MemorySink sink;
    const auto result = cat(source, "game/" + name, sink);
    ASSERT_TRUE(result) << message_of(result);
    EXPECT_EQ(sink.bytes, read_all(dir / "3"));
  }
  EXPECT_LT(source.read_bytes(), bytes.size());
  MemorySink sink;
  EXPECT_EQ(code_of(cat(source, "game/nope", sink)), Code::kNotFound);
  EXPECT_EQ(code_of(cat(source, "game/symlink", sink)), Code::kInvalidArgument);
  EXPECT_EQ(code_of(cat(source, "game", sink)), Code::kInvalidArgument);
  EXPECT_TRUE(sink.bytes.empty());
}

}  // namespace
}  // namespace manman::archive::test
