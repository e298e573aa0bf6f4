#include "archive/xattrs.h"

#include <sys/mount.h>
#include <sys/xattr.h>

#include "archive/posix_acl.h"
#include "archive/tar_writer.h"
#include "archive/test_support.h"

namespace manman::archive::test {
namespace {

void set_xattr(const fs::path& path, const char* name, std::string_view value) {
  ASSERT_EQ(::lsetxattr(path.c_str(), name, value.data(), value.size(), 0), 0)
      << path << " " << name << ": " << std::strerror(errno);
}

// "(none)" where there is none.
std::string xattr_of(const fs::path& path, const char* name) {
  std::string value(65536, '\0');
  const ssize_t size = ::lgetxattr(path.c_str(), name, value.data(), value.size());
  if (size < 0) return "(none)";
  value.resize(static_cast<size_t>(size));
  return value;
}

mode_t mode_of(const fs::path& path) {
  struct stat info{};
  EXPECT_EQ(::lstat(path.c_str(), &info), 0) << path;
  return info.st_mode & 07777;
}

constexpr const char* kAccess = "system.posix_acl_access";
constexpr const char* kDefault = "system.posix_acl_default";
// cap_net_bind_service, permitted and effective.
constexpr std::string_view kCapability{"\1\0\0\2\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20};

std::string acl(std::string_view text) {
  return acl_from_text(text).value();
}

TEST(Xattrs, RoundTripOfFilesAndFolders) {
  const TempDir temp;
  const fs::path dir = temp.make("game");
  write_file(dir / "world", "x");
  fs::create_directories(dir / "sealed" / "deep");
  set_xattr(dir, "user.root", "of the folder itself");
  set_xattr(dir / "world", "user.a=b%3D%c\nd", std::string_view("bytes\0\xff\n=", 9));
  set_xattr(dir / "world", "user.empty", "");
  set_xattr(dir / "world", "user.large", std::string(3000, 'l'));
  set_xattr(dir / "world", kAccess, acl("u::rw,u:1234:r,g::r,g:4321:x,m::rx,o::-"));
  set_xattr(dir / "sealed", kDefault, acl("u::rwx,u:1234:rwx,g::rx,m::rwx,o::rx"));
  set_xattr(dir / "sealed", "user.sealed", "s");
  ASSERT_EQ(::chmod((dir / "sealed").c_str(), 0555), 0);
  for (const Compression& compression :
       {Compression{}, Compression::default_of(ArchiveFormat::kZstd)}) {
    PackResult packed;
    const std::string bytes = pack_bytes(dir, &packed, 2, compression);
    EXPECT_EQ(packed.warnings, std::vector<std::string>{});
    ASSERT_TRUE(verify_bytes(bytes));
    const TempDir target;
    const auto unpacked = unpack_bytes(bytes, target.path());
    ASSERT_TRUE(unpacked) << message_of(unpacked);
    EXPECT_EQ(unpacked->warnings, std::vector<std::string>{});
    EXPECT_EQ(describe(target.path()), describe(dir));
    EXPECT_EQ(pack_bytes(target.path(), nullptr, 2, compression), bytes);
    EXPECT_EQ(xattr_of(target.path(), "user.root"), "of the folder itself");
    EXPECT_EQ(xattr_of(target.path() / "world", "user.a=b%3D%c\nd"),
              std::string("bytes\0\xff\n=", 9));
    for (const char* name : {"user.empty", "user.large", kAccess})
      EXPECT_EQ(xattr_of(target.path() / "world", name), xattr_of(dir / "world", name)) << name;
    EXPECT_EQ(xattr_of(target.path() / "sealed", kDefault), xattr_of(dir / "sealed", kDefault));
    EXPECT_EQ(xattr_of(target.path() / "sealed", "user.sealed"), "s");
    // Made before the folder got its default ACL, so not changed by it.
    EXPECT_EQ(xattr_of(target.path() / "sealed/deep", kAccess), "(none)");
  }
}

TEST(Xattrs, LeftOutWhereNotWanted) {
  const TempDir temp;
  const fs::path dir = temp.make("game");
  write_file(dir / "world", "x");
  set_xattr(dir / "world", "user.a", "1");
  set_xattr(dir / "world", kAccess, acl("u::rw,u:1234:r,g::r,m::r,o::-"));
  const TempDir target;
  ASSERT_TRUE(
      unpack_bytes(pack_bytes(dir), target.path(), {.strip_prefix = "game", .xattrs = false}));
  EXPECT_EQ(xattr_of(target.path() / "world", "user.a"), "(none)");
  EXPECT_EQ(xattr_of(target.path() / "world", kAccess), "(none)");
}

TEST(Xattrs, OnesThatMeanNothingElsewhereAreNotTaken) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root may set them";
  const TempDir temp;
  const fs::path dir = temp.make("game");
  write_file(dir / "world", "x");
  set_xattr(dir / "world", "trusted.a", "1");
  set_xattr(dir / "world", "security.manman", "1");
  const TempDir target;
  const auto unpacked = unpack_bytes(pack_bytes(dir), target.path(),
                                     {.strip_prefix = "game", .keep_special_bits = true});
  ASSERT_TRUE(unpacked) << message_of(unpacked);
  EXPECT_EQ(xattr_of(target.path() / "world", "trusted.a"), "(none)");
  EXPECT_EQ(xattr_of(target.path() / "world", "security.manman"), "(none)");
}

TEST(Xattrs, SpecialBitsAndCapabilitiesOnlyWhereAskedFor) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root may set them";
  const TempDir temp;
  const fs::path dir = temp.make("game");
  write_file(dir / "tool", "x");
  write_file(dir / "server", "x");
  fs::create_directory(dir / "shared");
  ASSERT_EQ(::chmod((dir / "tool").c_str(), 04755), 0);
  ASSERT_EQ(::chmod((dir / "shared").c_str(), 03775), 0);
  set_xattr(dir / "server", "security.capability", kCapability);
  const std::string bytes = pack_bytes(dir);
  const TempDir without;
  const auto dropped = unpack_bytes(bytes, without.path());
  ASSERT_TRUE(dropped) << message_of(dropped);
  EXPECT_EQ(mode_of(without.path() / "tool"), 0755U);
  EXPECT_EQ(mode_of(without.path() / "shared"), 01775U);
  EXPECT_EQ(xattr_of(without.path() / "server", "security.capability"), "(none)");
  EXPECT_EQ(dropped->warnings,
            (std::vector<std::string>{"server had file capabilities, which were dropped",
                                      "tool had its setuid bit set, which was dropped",
                                      "shared had its setgid bit set, which was dropped"}));
  const TempDir with;
  const auto kept =
      unpack_bytes(bytes, with.path(), {.strip_prefix = "game", .keep_special_bits = true});
  ASSERT_TRUE(kept) << message_of(kept);
  EXPECT_EQ(kept->warning_count, 0U);
  EXPECT_EQ(mode_of(with.path() / "tool"), 04755U);
  EXPECT_EQ(mode_of(with.path() / "shared"), 03775U);
  EXPECT_EQ(xattr_of(with.path() / "server", "security.capability"), kCapability);
}

TEST(Xattrs, ARefusalOfTheFileSystemIsAWarning) {
  // No file system of Linux takes more than 65,536 bytes.
  Entry entry{.path = "game/world", .size_bytes = 1, .mode = 0644, .mtime_s = 1'600'000'000};
  std::string tar =
      tar_header(entry, {.named = {{"user.large", std::string(70'000, 'l')}, {"user.small", "s"}},
                         .access_acl = "user::rw-,user:no-such-name:r--",
                         .default_acl = ""});
  tar += "x";
  tar.resize((tar.size() + 511) / 512 * 512 + 1024);
  const TempDir target;
  const auto unpacked = unpack_bytes(tar, target.path());
  ASSERT_TRUE(unpacked) << message_of(unpacked);
  EXPECT_EQ(read_all(target.path() / "world"), "x");
  EXPECT_EQ(xattr_of(target.path() / "world", "user.small"), "s");
  ASSERT_EQ(
      unpacked->warnings,
      (std::vector<std::string>{
          "world could not be given the extended attribute user.large: Argument list too long",
          "world could not be given its ACL: bad ACL: this machine has no user no-such-name"}));
}

TEST(Acl, TextAndBack) {
  const std::string text =
      "user::rwx,user:0:---,user:1000:r--,group::r-x,group:5:-w-,mask::rwx,other::--x";
  EXPECT_EQ(acl_to_text(as_bytes(acl(text))), text);
  // As GNU tar and star write it, in any order.
  EXPECT_EQ(acl("user::rwx\nother::--x\nmask::rwx\nuser:1000:r--\ngroup::r-x\nuser:root:---\n"
                "group:5:-w-\t# effective: -w-\n"),
            acl(text));
  EXPECT_EQ(acl("u::rwx,g::rx,u:nobody-here:r:1000,o::x,m::rwx,u:root:-:0,g:5:w"), acl(text));
}

TEST(Acl, WhatIsNone) {
  for (const std::string_view text :
       {"", ",", "user::rwz", "who::r", "user:no-such-name:r", "user:99999999999:r", ":::"})
    EXPECT_EQ(code_of(acl_from_text(text)), Code::kInvalidArgument) << text;
  for (const std::string_view bytes :
       {std::string_view(""), std::string_view("\1\0\0\0", 4), std::string_view("\2\0\0\0\1", 5),
        std::string_view("\2\0\0\0\3\0\7\0\0\0\0\0", 12)})
    EXPECT_EQ(code_of(acl_to_text(as_bytes(bytes))), Code::kInvalidArgument) << bytes.size();
}

TEST(Pack, MountPointsAreEmptyUnlessAskedFor) {
  const TempDir temp;
  const fs::path dir = temp.make("game");
  const fs::path elsewhere = temp.make("elsewhere");
  write_file(elsewhere / "secret", "of another place");
  fs::create_directory(dir / "bound");
  fs::create_directory(dir / "other");
  if (::mount(elsewhere.c_str(), (dir / "bound").c_str(), nullptr, MS_BIND, nullptr) != 0)
    GTEST_SKIP() << "can't mount: " << std::strerror(errno);
  ASSERT_EQ(::mount("none", (dir / "other").c_str(), "tmpfs", 0, nullptr), 0);
  write_file(dir / "other" / "file", "on tmpfs");
  PackResult packed;
  const std::string bytes = pack_bytes(dir, &packed);
  MemorySink crossing;
  const auto crossed = pack(dir, crossing, {.cross_file_systems = true});
  ASSERT_EQ(::umount((dir / "bound").c_str()), 0);
  ASSERT_EQ(::umount((dir / "other").c_str()), 0);
  EXPECT_EQ(packed.warnings,
            (std::vector<std::string>{
                "game/bound is a mount point; only the empty folder is in the archive",
                "game/other is a mount point; only the empty folder is in the archive"}));
  EXPECT_EQ(packed.entries, 3U);
  ASSERT_TRUE(crossed) << message_of(crossed);
  EXPECT_EQ(crossed->entries, 5U);
  const TempDir target;
  ASSERT_TRUE(unpack_bytes(crossing.bytes, target.path()));
  EXPECT_EQ(read_all(target.path() / "bound/secret"), "of another place");
  EXPECT_EQ(read_all(target.path() / "other/file"), "on tmpfs");
}

}  // namespace
}  // namespace manman::archive::test
