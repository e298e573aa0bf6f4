#include <cstdlib>

#include "archive/test_support.h"

// Archives between us and GNU tar, by the program itself.
namespace manman::archive::test {
namespace {

std::string quoted(const fs::path& path) {
  return "'" + path.string() + "'";
}

bool run(const std::string& command) {
  return std::system((command + " 2>/dev/null >/dev/null").c_str()) == 0;
}

fs::path make_tree(const TempDir& temp) {
  const fs::path dir = temp.make("game");
  std::mt19937_64 random(31);
  fs::create_directories(dir / "world/region");
  fs::create_directories(dir / "empty");
  write_file(dir / "world/region/r.0.0.mca", noise(random, 2 << 20));
  write_file(dir / "world/level.dat", "level");
  write_file(dir / "nothing", "");
  fs::create_symlink("world/level.dat", dir / "latest");
  fs::create_hard_link(dir / "world/level.dat", dir / "world/level.dat_old");
  for (const auto& entry : fs::recursive_directory_iterator(dir))
    if (!entry.is_directory()) set_mtime(entry.path(), 1'700'000'000, 0);
  for (const char* name : {"world/region", "world", "empty", "."})
    set_mtime(dir / name, 1'700'000'000, 0);
  return dir;
}

TEST(Foreign, GnuTarUnpacksOurs) {
  const TempDir temp;
  const fs::path dir = make_tree(temp);
  const std::string odd(200, 'o');
  write_file(dir / "Grüße", "utf-8");
  write_file(dir / "\xff\xfe", "bytes");
  write_file(dir / odd, "long");
  fs::create_symlink(odd + odd, dir / "longlink");
  set_mtime(dir / "Grüße", -5, 250'000'000);
  set_mtime(dir / odd, 1'700'000'000, 123'456'789);
  set_mtime(dir, 1'700'000'000, 7);
  write_file(temp.path() / "a.tar.gz", pack_bytes(dir));
  const TempDir target;
  ASSERT_TRUE(run("gzip -t " + quoted(temp.path() / "a.tar.gz")));
  ASSERT_TRUE(
      run("tar -xpzf " + quoted(temp.path() / "a.tar.gz") + " -C " + quoted(target.path())));
  EXPECT_EQ(describe(target.path() / "game"), describe(dir));
}

TEST(Foreign, WeUnpackAllFormatsOfGnuTar) {
  const TempDir temp;
  const fs::path dir = make_tree(temp);
  const auto expected = describe(dir);
  for (const std::string format : {"v7", "ustar", "oldgnu", "gnu", "pax"}) {
    for (const std::string flag : {"z", ""}) {
      SCOPED_TRACE(format + flag);
      const fs::path archive = temp.path() / "a.tar";
      ASSERT_TRUE(run("tar -c" + flag + "f " + quoted(archive) + " --format=" + format + " -C " +
                      quoted(temp.path()) + " game"));
      const TempDir target;
      const auto source = FileSource::open(archive).value();
      const auto result = unpack(*source, target.path(), {.strip_prefix = "game"});
      ASSERT_TRUE(result) << message_of(result);
      EXPECT_FALSE(result->indexed);
      EXPECT_EQ(describe(target.path()), expected);
      const auto verified = verify(*source, 1, nullptr);
      ASSERT_TRUE(verified) << message_of(verified);
      EXPECT_EQ(to_hex(verified->sha256), to_hex(Sha256::of(as_bytes(read_all(archive)))));
      // One file, and a hard link without the file that it names.
      MemorySink sink;
      ASSERT_TRUE(cat(*source, "game/world/level.dat_old", sink));
      EXPECT_EQ(sink.bytes, "level");
      const TempDir part;
      ASSERT_TRUE(unpack(*source, part.path(),
                         {.only = {"game/world/level.dat_old"}, .strip_prefix = "game"}));
      EXPECT_EQ(read_all(part.path() / "world/level.dat_old"), "level");
    }
  }
}

TEST(Foreign, LongNamesOfGnuAndPax) {
  const TempDir temp;
  const fs::path dir = temp.make("game");
  const std::string name(240, 'n');
  fs::create_directories(dir / name / name);
  write_file(dir / name / name / name, "deep");
  fs::create_symlink(name + "/" + name, dir / "s");
  for (const std::string format : {"oldgnu", "gnu", "pax"}) {
    const fs::path archive = temp.path() / "a.tar";
    ASSERT_TRUE(run("tar -cf " + quoted(archive) + " --format=" + format + " -C " +
                    quoted(temp.path()) + " game"));
    const TempDir target;
    const auto source = FileSource::open(archive).value();
    const auto result = unpack(*source, target.path(), {.strip_prefix = "game"});
    ASSERT_TRUE(result) << format << message_of(result);
    EXPECT_EQ(read_all(target.path() / name / name / name), "deep");
    EXPECT_EQ(fs::read_symlink(target.path() / "s"), name + "/" + name);
  }
}

TEST(Foreign, SparseFilesOfGnuTar) {
  const TempDir temp;
  const fs::path dir = temp.make("game");
  for (const int parts : {0, 1, 3, 60}) {
    const UniqueFd fd(::open((dir / std::to_string(parts)).c_str(), O_CREAT | O_WRONLY, 0644));
    for (int i = 0; i < parts; i++) ASSERT_EQ(::pwrite(fd.get(), "data", 4, off_t{i} * 100'000), 4);
    ASSERT_EQ(::ftruncate(fd.get(), 8'000'000 + parts), 0);
  }
  for (const std::string format :
       {"--format=gnu", "--format=pax --sparse-version=0.0", "--format=pax --sparse-version=0.1",
        "--format=pax --sparse-version=1.0"}) {
    SCOPED_TRACE(format);
    const fs::path archive = temp.path() / "a.tar";
    ASSERT_TRUE(
        run("tar -cSf " + quoted(archive) + " " + format + " -C " + quoted(temp.path()) + " game"));
    EXPECT_LT(fs::file_size(archive), 2U << 20);
    const TempDir target;
    const auto source = FileSource::open(archive).value();
    const auto result = unpack(*source, target.path(), {.strip_prefix = "game"});
    ASSERT_TRUE(result) << message_of(result);
    for (const int parts : {0, 1, 3, 60}) {
      const fs::path file = target.path() / std::to_string(parts);
      EXPECT_EQ(read_all(file), read_all(dir / std::to_string(parts))) << parts;
      struct stat info{};
      ASSERT_EQ(::stat(file.c_str(), &info), 0);
      EXPECT_LE(info.st_blocks * 512, parts * 4096) << parts;
      MemorySink sink;
      ASSERT_TRUE(cat(*source, "game/" + std::to_string(parts), sink));
      EXPECT_EQ(sink.bytes, read_all(dir / std::to_string(parts)));
    }
  }
}

TEST(Foreign, SeveralMembersAndZerosBehind) {
  const TempDir temp;
  const fs::path dir = make_tree(temp);
  const std::string archive = quoted(temp.path() / "a.tar.gz");
  ASSERT_TRUE(run("cd " + quoted(temp.path()) +
                  " && tar -cf a.tar game && split -b 300000 a.tar part. && gzip part.* && "
                  "cat part.*.gz > a.tar.gz && truncate -s +5000 a.tar.gz"));
  const TempDir target;
  const auto source = FileSource::open(temp.path() / "a.tar.gz").value();
  const auto result = unpack(*source, target.path(), {.strip_prefix = "game"});
  ASSERT_TRUE(result) << message_of(result);
  EXPECT_EQ(describe(target.path()), describe(dir));
}

TEST(Foreign, CutsAndFlipsOfAGzippedTar) {
  const TempDir temp;
  make_tree(temp);
  ASSERT_TRUE(run("tar -C " + quoted(temp.path()) + " -czf " + quoted(temp.path() / "a.tar.gz") +
                  " game/world"));
  const std::string good = read_all(temp.path() / "a.tar.gz");
  std::mt19937_64 random(37);
  for (int i = 0; i < 40; i++)
    EXPECT_EQ(code_of(verify_bytes(good.substr(0, random() % good.size()))), Code::kDataLoss);
  for (int i = 0; i < 40; i++) {
    std::string bad = good;
    const size_t at = 10 + random() % (good.size() - 10);
    bad[at] = static_cast<char>(bad[at] ^ (1 << random() % 8));
    EXPECT_FALSE(verify_bytes(bad)) << at;
  }
}

}  // namespace
}  // namespace manman::archive::test
