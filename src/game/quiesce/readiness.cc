#include "game/quiesce/readiness.h"

#include <algorithm>

#include "game/quiesce/line_regex.h"
#include "game/quiesce/output_follower.h"

namespace manman {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// An end is seen at once, a line after so long.
constexpr milliseconds kLookInterval{50};

// A game that has put out nothing yet may have no output.
template <typename T>
Result<T> or_nothing(Result<T> read) {
  if (!read && read.error().code == Code::kNotFound) return T{};
  return read;
}

void strip(std::string& line) {
  std::erase_if(line, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

}  // namespace

Result<Readiness> wait_until_ready(Runtime& runtime, const GameInstance& game,
                                   const std::string& ready, milliseconds timeout,
                                   const std::function<bool()>& stop) {
  const LineRegex regex = TRY(compile_line_regex(ready));
  OutputFollower output = OutputFollower::from_start(runtime, game);
  const auto began = Clock::now();
  for (;;) {
    Readiness now;
    now.state = TRY(runtime.wait(game, kLookInterval));
    now.after = std::chrono::duration_cast<milliseconds>(Clock::now() - began);
    const auto is_it = [&](std::string_view line) { return found_in(line, *regex); };
    now.kind = Readiness::Kind::kReady;
    if (TRY(or_nothing(output.read_new(is_it)))) return now;
    now.kind = Readiness::Kind::kEnded;
    if (now.state.kind != GameState::Kind::kRunning) return now;
    now.kind = Readiness::Kind::kLate;
    if (now.after >= timeout) return now;
    if (stop()) return fail(Code::kCancelled, "cancelled while the game was being started");
  }
}

Result<std::string> last_output(Runtime& runtime, const GameInstance& game, size_t max_bytes) {
  const uint64_t size = TRY(or_nothing(runtime.output_size(game)));
  std::string text(std::min<uint64_t>(size, max_bytes), '\0');
  const uint64_t offset = size - text.size();
  if (text.empty()) return text;
  text.resize(TRY(runtime.read_output(game, offset, std::as_writable_bytes(std::span(text)))));
  const size_t first_end = text.find('\n');
  if (offset > 0 && first_end + 1 < text.size()) text.erase(0, first_end + 1);
  std::string lines;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    std::string line = text.substr(begin, end - begin);
    strip(line);
    if (!line.empty()) lines += (lines.empty() ? "" : " | ") + line;
    begin = end + 1;
  }
  return lines;
}

}  // namespace manman
