#pragma once

#include <array>
#include <atomic>
#include <deque>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "archive/file_writer.h"
#include "archive/metadata.h"
#include "base/stream.h"
#include "base/sync.h"

namespace manman::archive {

// Writes the contents of files in threads of its own while the owner goes on to the next ones. What
// waits to be written is bounded, in bytes and in open files. One file is at work at a time; all
// calls come from one thread. The first error of any file is that of every call from then on. The
// destructor drops what was not written by then.
class WriteBehind {
 public:
  // `threads` as of UnpackOptions.
  WriteBehind(const Metadata& metadata, int threads);
  WriteBehind(const WriteBehind&) = delete;
  WriteBehind& operator=(const WriteBehind&) = delete;
  ~WriteBehind();

  // A file up to this size may come without having been made, if it is not sparse; all of it is
  // done by the thread that writes it. No two threads make files in one folder at a time: they
  // would only wait for one another.
  static constexpr uint64_t kMaxUnmade = uint64_t{64} << 10;

  // The file at work from now on; there is none yet.
  void begin(std::unique_ptr<FileWriter> writer);
  bool at_work() const { return file_ != nullptr; }
  // More of the file at work. The bytes are copied.
  Result<void> write(uint64_t offset, ConstBytes bytes);
  // Instead of write(): see Extractor::share(). The file's size, or none where it can't be done.
  std::optional<uint64_t> share(int from);
  void share_at_end(UniqueFd from) { file_->writer->share_at_end(std::move(from)); }
  // The file at work has all its contents, and is given its metadata once they are written.
  Result<void> end();
  // The file at work, closed and without metadata, once all is written that was asked for.
  Result<std::unique_ptr<FileWriter>> abandon();
  // Returns when everything is written. No file may be at work.
  Result<void> settle();

 private:
  static constexpr size_t kBlockSize = size_t{256} << 10;
  struct File {
    std::unique_ptr<FileWriter> writer;
    std::atomic<int> parts = 1;  // to be written; until its end one more
  };
  struct Part {
    std::shared_ptr<File> file;
    uint64_t offset = 0;
    size_t begin = 0;  // in the block
    size_t size = 0;
    bool last = false;
  };
  struct Block {
    alignas(FileWriter::kAlignment) std::array<std::byte, kBlockSize> bytes;
    size_t used = 0;
    std::vector<Part> parts;
    size_t descriptors = 0;                    // of files that were made before, and of folders
    std::shared_ptr<const UniqueFd> makes_in;  // where files are made; the last one, of several
  };
  struct State {
    std::vector<std::unique_ptr<Block>> spare;
    std::deque<std::unique_ptr<Block>> full;
    size_t at_work = 0;                   // blocks
    std::vector<const UniqueFd*> making;  // folders in which they make files
    bool owner_waits = false;
    bool stopped = false;
    std::optional<Error> error;
  };

  bool has_part_at_end() const;
  // Makes sure that the unmade file at work will be in one part.
  void begin_unmade();
  // Begins a part of the file at work in block_, with room for a byte at least.
  Result<void> begin_part(uint64_t offset);
  Result<void> take_block();
  // For the owner: until it holds, or an error.
  template <typename Predicate>
  Result<void> wait(Sync<State>::Guard& state, Predicate holds);
  void hand_over();
  // The next of the full blocks to be written, none if it is to be waited for.
  std::deque<std::unique_ptr<Block>>::iterator next(State& state) const;
  void work();
  Result<void> write(Block& block);

  const Metadata metadata_;
  size_t max_descriptors_ = 0;  // of a block
  size_t max_making_ = 0;
  std::shared_ptr<File> file_;
  std::unique_ptr<Block> block_;  // being filled
  Sync<State> state_;
  std::vector<std::jthread> threads_;
};

}  // namespace manman::archive
