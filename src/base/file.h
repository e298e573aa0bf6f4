#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/stream.h"

namespace manman {

// Owns a file descriptor and closes it.
class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    if (this != &other) {
      reset();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }
  UniqueFd(const UniqueFd&) = delete;
  UniqueFd& operator=(const UniqueFd&) = delete;
  ~UniqueFd() { reset(); }

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  void reset();
  // Gives the descriptor to one who will close it.
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_ = -1;
};

// A local file as a RandomSource. The size is that at the opening.
class FileSource final : public RandomSource {
 public:
  static Result<std::unique_ptr<FileSource>> open(const std::filesystem::path& path);
  FileSource(UniqueFd fd, uint64_t size, std::string name)
      : fd_(std::move(fd)), size_(size), name_(std::move(name)) {}

  uint64_t size() const override { return size_; }
  Result<void> read_at(uint64_t offset, MutableBytes buffer) override;

 private:
  UniqueFd fd_;
  uint64_t size_;
  std::string name_;
};

// Writes all of bytes; `what` names the file in the error.
Result<void> write_all(int fd, ConstBytes bytes, std::string_view what);

// Replaces path by these contents so that a crash leaves the old or the new, never a part: a
// file beside it, fsync, rename, fsync of the folder.
Result<void> write_file_durably(const std::filesystem::path& path, std::string_view contents);

// The whole of a small file; one over max_bytes is kOutOfRange.
Result<std::string> read_file(const std::filesystem::path& path, size_t max_bytes = 16U << 20);

Result<void> fsync_dir(const std::filesystem::path& dir);
// mkdir -p, every new level fsynced into its parent.
Result<void> make_dirs(const std::filesystem::path& dir);
// rm -rf that follows no symlink and crosses into unreadable folders (it opens their modes
// first). A path that is not there is success.
Result<void> remove_tree(const std::filesystem::path& path);

inline ConstBytes as_bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

}  // namespace manman
