#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace manman::docker {

// One entry of a container's log: at most a line, or a part of a long one.
struct LogEntry {
  std::string_view timestamp;  // "2026-01-31T12:00:00.000000000Z": compares as text
  std::string_view bytes;
};

// Cuts the engine's log stream (`timestamps=1`, no terminal) into entries. Each comes in a frame:
// a byte for the stream (1: standard output, 2: standard error), three of zero, four for the size
// (big endian); then the timestamp, a space and the bytes.
class Demux {
 public:
  static constexpr size_t kMaxFrameBytes = 1U << 20;  // the engine's own limit is 16 KiB a part

  // Gives each entry that these bytes complete. What is not such a stream is kDataLoss; an error of
  // `entry` is passed on. After an error it must not be fed any more.
  Result<void> feed(std::string_view bytes,
                    const std::function<Result<void>(const LogEntry&)>& entry);

 private:
  std::string begun_;
};

}  // namespace manman::docker
