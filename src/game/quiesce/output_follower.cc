#include "game/quiesce/output_follower.h"

#include <array>

namespace manman {

Result<OutputFollower> OutputFollower::from_now(Runtime& runtime, const GameInstance& game) {
  return OutputFollower(runtime, game, TRY(runtime.output_size(game)));
}

OutputFollower OutputFollower::from_start(Runtime& runtime, const GameInstance& game) {
  return {runtime, game, 0};
}

Result<bool> OutputFollower::read_new(const std::function<bool(std::string_view)>& line) {
  const uint64_t end = TRY(runtime_->output_size(game_));
  if (end < offset_) {
    offset_ = 0;
    lines_.reset();
  }
  std::array<char, 16384> buffer;
  // Only up to there: a game may put out faster than this reads.
  while (offset_ < end) {
    const size_t count =
        TRY(runtime_->read_output(game_, offset_, std::as_writable_bytes(std::span(buffer))));
    if (count == 0) break;
    offset_ += count;
    if (lines_.feed({buffer.data(), count}, line)) return true;
  }
  return false;
}

}  // namespace manman
