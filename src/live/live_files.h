#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "archive/file_choice.h"
#include "archive/target_tree.h"
#include "archive/warnings.h"
#include "base/error.h"
#include "live/scratch.h"

namespace manman::live {

struct LiveOptions {
  std::filesystem::path dir;  // that is packed
  // A folder for copies, made here, on the same file system where it can share blocks. It is
  // removed with all that is in it.
  std::filesystem::path scratch;
  // Asked for each file: while false, nothing is written, and files are taken as they are. It may
  // become false, and true, at any time. Empty: true.
  std::function<bool()> is_live = nullptr;
  std::function<bool()> stop = nullptr;  // ends what takes long with kCancelled
  // How long a database may stay locked before that fails the pack.
  std::chrono::milliseconds sqlite_deadline{10'000};
  // Files that were changed so lately before the reading began, and since, are copied first ...
  std::chrono::seconds recent{5};
  // ... if they are no larger than this.
  uint64_t max_copied_bytes = uint64_t{256} << 20;
};

// What was done about files that are in use. Of each list the first 100, by their paths below the
// folder.
struct LiveEvidence {
  std::vector<std::string> databases;  // copied through SQLite
  uint64_t database_count = 0;
  // Begin as SQLite's databases do, but SQLite can't read them: taken as any file is.
  std::vector<std::string> unreadable_databases;
  uint64_t unreadable_database_count = 0;
  uint64_t blocked_ms = 0;    // the longest that a writer of a database may have had to wait
  uint64_t copied_first = 0;  // files
  // Were written to in each copy, or between a database and its journal: what is in the archive may
  // be of several moments. Those that were read as they are are in PackResult::changed.
  std::vector<std::string> unsteady;
  uint64_t unsteady_count = 0;
};

// Takes files that a running game may write to. SQLite databases are copied through SQLite, and
// their journals left out; files written to lately are copied first, until they hold still for it.
class LiveFiles final : public archive::FileChoice {
 public:
  static Result<std::unique_ptr<LiveFiles>> create(LiveOptions options);

  Result<archive::FileTaking> choose(const archive::FileSeen& file) override;
  // Once the pack is over.
  LiveEvidence evidence();

 private:
  // A database whose companions may still come.
  struct Taken {
    std::string path;
    bool copied = false;  // through SQLite; otherwise as it was while nobody wrote
  };

  LiveFiles(LiveOptions options, archive::TargetTree tree, std::unique_ptr<Scratch> scratch)
      : options_(std::move(options)), tree_(std::move(tree)), scratch_(std::move(scratch)) {}

  bool is_live() const { return !options_.is_live || options_.is_live(); }
  std::string shown(const std::string& path) const;
  const Taken* database_of(std::string_view path) const;
  Result<std::optional<archive::FileTaking>> copy_database_of(const archive::FileSeen& file);
  bool is_in_use(const archive::FileSeen& file) const;
  Result<archive::FileTaking> copy_first(const archive::FileSeen& file);
  Result<std::optional<UniqueFd>> copy_once(const archive::FileSeen& file, bool& steady);

  const LiveOptions options_;
  archive::TargetTree tree_;
  std::unique_ptr<Scratch> scratch_;
  const timespec begun_ = [] {
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    return now;
  }();
  std::vector<Taken> taken_;
  archive::Warnings databases_;
  archive::Warnings unreadable_;
  archive::Warnings unsteady_;
  uint64_t blocked_ms_ = 0;
  uint64_t copied_first_ = 0;
};

}  // namespace manman::live
