#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>

#include "archive/spool.h"
#include "base/error.h"

namespace manman::archive {

// Which files were seen under another name already. A file is forgotten once all of its names were
// seen; at most 200,000 are remembered (their names on disk), so that memory is bounded.
class HardLinks {
 public:
  struct Seen {
    std::optional<std::string> first_path;  // none: this name is the first
    bool forgotten = false;                 // too many; later names become files of their own
  };
  // Whether a file was met under another name.
  bool knows(const struct stat& info) const { return known_.contains({info.st_dev, info.st_ino}); }
  // For a file with more than one link, as it is met under `path`.
  Result<Seen> meet(const struct stat& info, const std::string& path);

 private:
  struct Key {
    dev_t device;
    ino_t inode;
    bool operator==(const Key&) const = default;
  };
  struct Hash {
    size_t operator()(const Key& key) const {
      return std::hash<uint64_t>()(key.inode * 0x9e3779b97f4a7c15ULL ^ key.device);
    }
  };
  struct Known {
    uint64_t offset;  // of the name, in the spool
    uint32_t size;
    uint32_t links_left;
  };

  std::unordered_map<Key, Known, Hash> known_;
  Spool names_{size_t{1} << 20};
};

}  // namespace manman::archive
