#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/examine_rule.h"
#include "base/progress.h"

// Whether the files of a world are whole in themselves: an archive gives back every byte that was
// put into it, which says nothing of what the game wrote.
namespace manman::examine {

struct Options {
  // Over what is known of every world: *.mca and *.mcr are region files, and what begins as
  // SQLite's databases do is one, unless a rule says otherwise. Patterns that can't be ones are
  // kInvalidArgument.
  std::vector<ExamineRule> rules;
  // A folder that is made for copies of databases that need a recovery, and removed; it should be
  // on the same file system. Only one at a time may use it.
  std::filesystem::path scratch;
  Progress* progress = nullptr;  // done_bytes: of files that were looked at
};

// Something about a file. Paths are below the folder, any bytes but NUL.
struct Finding {
  std::string path;
  std::string place;  // where in it: "chunk 3 17"; "" for the file
  std::string what;

  std::string text() const;  // "world/r.0.0.mca: chunk 3 17: the file ends within it"
};

struct Report {
  uint64_t databases = 0;  // examined, good or bad
  uint64_t regions = 0;
  uint64_t chunks = 0;  // in them
  uint64_t nbt_files = 0;
  uint64_t other_files = 0;  // nothing is known of them
  // What is damaged; the first 100, and all.
  std::vector<Finding> problems;
  uint64_t problem_count = 0;
  // What should have been examined but can't be: a compression that is not known, too large when
  // decompressed. The first 100, and all.
  std::vector<Finding> unexamined;
  uint64_t unexamined_count = 0;

  bool whole() const { return problem_count == 0; }
  // "2 databases, 12 region files (2903 chunks), 3 NBT files and 9 other files".
  std::string counts() const;
};

// Examines all regular files of a folder that nobody writes to, and changes nothing in it. Whatever
// the files hold: memory is bounded (some 150 MiB), and time by their sizes. Follows no symlink and
// enters nothing that is mounted in it. An error says that the examination could not be made
// (kNotFound: no folder; a file that can't be read; kCancelled), not that it found something.
Result<Report> examine(const std::filesystem::path& dir, const Options& options);

}  // namespace manman::examine
