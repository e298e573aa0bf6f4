#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "archive/archive.h"
#include "archive/bytes.h"
#include "base/file.h"

// What the tests of this folder share: archives in memory, and trees compared as a user would see
// them.
namespace manman::archive::test {

namespace fs = std::filesystem;

class TempDir {
 public:
  TempDir() {
    std::string name = (fs::temp_directory_path() / "manman-archive-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) ADD_FAILURE() << "mkdtemp: " << std::strerror(errno);
    path_ = name;
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  ~TempDir() {
    const auto removed = remove_tree(path_);
    EXPECT_TRUE(removed.has_value());
  }
  const fs::path& path() const { return path_; }
  fs::path make(const std::string& name) const {
    fs::create_directory(path_ / name);
    return path_ / name;
  }

 private:
  fs::path path_;
};

struct MemorySink final : Sink {
  std::string bytes;
  Result<void> write(ConstBytes more) override {
    bytes += as_text(more);
    return {};
  }
};

class MemorySource final : public RandomSource {
 public:
  explicit MemorySource(std::string bytes) : bytes_(std::move(bytes)) {}
  uint64_t size() const override { return bytes_.size(); }
  Result<void> read_at(uint64_t offset, MutableBytes buffer) override {
    read_bytes_ += buffer.size();
    if (offset > bytes_.size() || buffer.size() > bytes_.size() - offset)
      return fail(Code::kOutOfRange, "read beyond the end");
    std::memcpy(buffer.data(), bytes_.data() + offset, buffer.size());
    return {};
  }
  uint64_t read_bytes() const { return read_bytes_; }

 private:
  std::string bytes_;
  std::atomic<uint64_t> read_bytes_{0};
};

inline void write_file(const fs::path& path, std::string_view contents) {
  std::ofstream(path, std::ios::binary) << contents;
}

inline std::string read_all(const fs::path& path) {
  return read_file(path).value_or("(unreadable)");
}

inline void set_mtime(const fs::path& path, int64_t seconds, long nanoseconds) {
  const timespec times[2] = {{0, UTIME_OMIT}, {seconds, nanoseconds}};
  ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW), 0) << path;
}

// Bytes that compress as region files do: some runs, some noise.
inline std::string noise(std::mt19937_64& random, size_t size) {
  std::string bytes(size, '\0');
  for (size_t i = 0; i < size; i++)
    bytes[i] = i % 3 == 0 ? 'm' : static_cast<char>(random() & 0xff);
  return bytes;
}

// Everything a user would notice of a tree, by path: kind, mode, time, contents, link target,
// which names are one file.
inline std::map<std::string, std::string> describe(const fs::path& root) {
  std::map<std::string, std::string> tree;
  std::map<ino_t, std::string> first_names;
  const auto add = [&](const fs::path& path, const std::string& name) {
    struct stat info{};
    ASSERT_EQ(::lstat(path.c_str(), &info), 0) << path;
    std::string text = std::to_string(info.st_mtim.tv_sec) + "." +
                       std::to_string(info.st_mtim.tv_nsec) + " mode " +
                       std::to_string(info.st_mode) + " owner " + std::to_string(info.st_uid) +
                       ":" + std::to_string(info.st_gid);
    if (S_ISLNK(info.st_mode)) text += " -> " + fs::read_symlink(path).string();
    if (S_ISREG(info.st_mode)) {
      text += " size " + std::to_string(info.st_size);
      if (info.st_size <= (64 << 20))
        text += " sha256 " + to_hex(Sha256::of(as_bytes(read_file(path, 65 << 20).value())));
      if (info.st_nlink > 1)
        text += " same as " + first_names.try_emplace(info.st_ino, name).first->second;
    }
    tree[name] = text;
  };
  add(root, ".");
  std::vector<fs::path> all;
  for (const auto& entry : fs::recursive_directory_iterator(root)) all.push_back(entry.path());
  std::ranges::sort(all);
  for (const fs::path& path : all) add(path, path.lexically_relative(root).string());
  return tree;
}

inline std::string pack_bytes(const fs::path& dir, PackResult* result = nullptr, int threads = 2,
                              const Compression& compression = {}) {
  MemorySink sink;
  auto packed = pack(dir, sink, {.compression = compression, .threads = threads});
  EXPECT_TRUE(packed.has_value()) << (packed ? "" : packed.error().text());
  if (packed && result != nullptr) *result = *packed;
  return sink.bytes;
}

inline std::string pack_bytes(const fs::path& dir, const Compression& compression) {
  return pack_bytes(dir, nullptr, 2, compression);
}

inline Result<UnpackResult> unpack_bytes(const std::string& bytes, const fs::path& target,
                                         const UnpackOptions& options = {.strip_prefix = "game"}) {
  MemorySource source(bytes);
  return unpack(source, target, options);
}

inline Result<VerifyResult> verify_bytes(const std::string& bytes) {
  MemorySource source(bytes);
  return verify(source, 1, nullptr);
}

template <typename T>
std::string message_of(const Result<T>& result) {
  return result ? "(success)" : result.error().text();
}
template <typename T>
Code code_of(const Result<T>& result) {
  return result ? Code{} : result.error().code;
}

}  // namespace manman::archive::test
