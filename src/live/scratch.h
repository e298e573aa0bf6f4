#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "base/error.h"
#include "base/file.h"

namespace manman::live {

// A folder of our own for copies, which nobody else may look into.
class Scratch {
 public:
  // Makes the folder where it isn't there. The destructor removes it with all that is in it, unless
  // keep() was called.
  static Result<std::unique_ptr<Scratch>> make(const std::filesystem::path& dir);
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch();

  int folder() const { return folder_.get(); }
  const std::filesystem::path& path() const { return path_; }

  void keep() { kept_ = true; }

  // A file that is gone when it is closed, open for reading and writing.
  Result<UniqueFd> nameless_file() const;
  // kResourceExhausted, saying how much is missing, unless so many bytes are free. `what` needs
  // them.
  Result<void> check_room(uint64_t bytes, const std::string& what) const;

 private:
  Scratch(std::filesystem::path path, UniqueFd folder);

  std::filesystem::path path_;
  UniqueFd folder_;
  bool kept_ = false;
};

// Gives an empty file the contents of another one, on the same blocks (FICLONE). False, and nothing
// is done, where the file system can't.
bool clone_file(int from, int to);

// Copies `size` bytes from one open file into another, both from their beginning; what `from` does
// not have any more is left out. Ends with kCancelled when `stop` says so. `what` names them in
// errors.
Result<void> copy_bytes(int from, int to, uint64_t size, const std::function<bool()>& stop,
                        const std::string& what);

}  // namespace manman::live
