#pragma once

#include <cstdint>
#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "base/stream.h"
#include "base/writeback.h"

namespace manman::cli {

// A file that comes into being whole or not at all: written beside its place ({path}.tmp-{pid}),
// and renamed by commit(). Destroyed before that, it leaves nothing.
class OutputFile final : public Sink {
 public:
  // A path that is there is kAlreadyExists unless `force`, and must be a regular file then.
  static Result<OutputFile> create(const std::filesystem::path& path, bool force);
  OutputFile(OutputFile&& other) noexcept;
  OutputFile& operator=(OutputFile&&) = delete;
  ~OutputFile() override;

  Result<void> write(ConstBytes bytes) override;
  // Under its name when it returns, and durable if `sync`.
  Result<void> commit(bool sync);

 private:
  OutputFile(std::filesystem::path path, std::filesystem::path beside, UniqueFd fd, bool force)
      : path_(std::move(path)), beside_(std::move(beside)), fd_(std::move(fd)), force_(force) {}

  std::filesystem::path path_;
  std::filesystem::path beside_;  // empty once committed
  UniqueFd fd_;
  Writeback writeback_;
  bool force_ = false;
};

}  // namespace manman::cli
