#pragma once

#include <sys/stat.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/file.h"
#include "live/scratch.h"

// Copies of SQLite databases that a game may be writing to. SQLite's own locks are all that keeps
// reader and writer apart, so SQLite does the reading; how, and what it may not do here, is told in
// docs/architecture.md, "Live worlds".
namespace manman::live {

// Whether an open file begins as SQLite's do.
bool looks_like_sqlite(int fd);

// What stands beside a database while it is in use: "-journal", "-shm" or "-wal" at the end of a
// name, "" if none of them.
std::string_view companion_suffix(std::string_view name);

struct Database {
  int folder;               // open, that it stands in
  std::string name;         // in the folder
  int fd;                   // of it, open for reading; it must stay open until the copy is made
  const struct stat& info;  // of fd
  std::string shown;        // for errors
};

struct CopyLimits {
  // How long a database may be locked or change all the time before that is an error.
  std::chrono::milliseconds deadline{10'000};
  std::function<bool()> stop;  // ends it with kCancelled
  std::string keep_as = {};    // the copy's name in the scratch; "": it has none when it is made
};

struct DatabaseCopy {
  UniqueFd file;            // open for reading; without a name it is gone when it is closed
  uint64_t blocked_ms = 0;  // how long at most a writer had to wait for one hold of the lock
};

// A copy of one committed state of the database, in one file that opens by itself. Nothing of the
// game's is written, made or removed, and no schema of it is run. None: SQLite does not take it for
// a database, or the own process has the file open in another place, too (closing that would take
// SQLite's locks away). kDeadlineExceeded: it stayed locked. One at a time in a scratch.
Result<std::optional<DatabaseCopy>> copy_database(const Database& database, const Scratch& scratch,
                                                  const CopyLimits& limits);

}  // namespace manman::live
