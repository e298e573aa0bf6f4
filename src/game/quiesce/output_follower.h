#pragma once

#include <functional>
#include <string_view>

#include "game/quiesce/line_reader.h"
#include "game/runtime/runtime.h"

namespace manman {

// Reads the lines that a game puts out, from its start or from now on. Output that was truncated
// meanwhile (a log rotated in place) is read from its new beginning. One thread; the runtime must
// outlive it.
class OutputFollower {
 public:
  static Result<OutputFollower> from_now(Runtime& runtime, const GameInstance& game);
  static OutputFollower from_start(Runtime& runtime, const GameInstance& game);

  // Gives what has come since the last call and until this one, line by line, until `line` returns
  // true.
  // True when it did.
  Result<bool> read_new(const std::function<bool(std::string_view)>& line);

 private:
  OutputFollower(Runtime& runtime, GameInstance game, uint64_t offset)
      : runtime_(&runtime), game_(std::move(game)), offset_(offset) {}

  Runtime* runtime_;
  GameInstance game_;
  uint64_t offset_;
  LineReader lines_;
};

}  // namespace manman
