#pragma once

#include <optional>
#include <string>

#include "base/file.h"
#include "game/runtime/docker/demux.h"
#include "game/runtime/docker/session_dir.h"

namespace manman::docker {

// Writes the entries of a container's log to output.log, each byte once and in order, also when
// the reading is cut off anywhere and begun anew, by this or a later process.
//
// The cursor file names an entry and where in output.log its first byte stands, and is written
// before what follows. Reading goes on from that entry, and what output.log holds already is left
// out. So that its timestamp finds it again, it is one later than all entries before it: several
// may share a moment, and those of two streams, and the end of a long line, come out of order. For
// the same reason the engine is asked for some time more (before version 23 it leaves out every
// entry of before the moment that it is asked for, wherever that stands).
//
// The engine's copy of the log loses its oldest part when it is long: when the cursor's entry is
// not there any more, a line in output.log says that some are missing.
class OutputLog {
 public:
  static Result<OutputLog> open(const SessionDir& files);

  // From which moment the engine is to give the log, as its API takes it; "" for all.
  Result<std::string> since() const;
  // A reading of the log, from there, begins.
  Result<void> begin();
  Result<void> add(const LogEntry& entry);

 private:
  struct Cursor {
    std::string timestamp;  // "" before the first entry
    uint64_t offset = 0;
  };

  OutputLog(SessionDir files, UniqueFd file, Cursor saved)
      : files_(std::move(files)), file_(std::move(file)), saved_(std::move(saved)) {}

  Result<bool> reaches_cursor(const LogEntry& entry);
  Result<void> save_cursor(const Cursor& cursor);
  Result<void> write(std::string_view bytes);

  SessionDir files_;
  UniqueFd file_;
  Cursor saved_;
  // Of the reading under way.
  bool at_cursor_ = false;  // or behind it
  std::string latest_;      // the latest timestamp seen
  uint64_t position_ = 0;   // where the next entry's first byte stands in output.log
  uint64_t size_ = 0;       // of output.log
};

}  // namespace manman::docker
