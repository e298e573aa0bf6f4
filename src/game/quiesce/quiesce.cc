#include "game/quiesce/quiesce.h"

#include <re2/re2.h>

#include <memory>
#include <utility>

#include "base/log.h"
#include "base/retry.h"
#include "game/quiesce/output_follower.h"

namespace manman {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// How often output is looked at: a quiesced game's players feel every moment of it.
constexpr milliseconds kLookInterval{10};
// A game that does not take its resume inputs would stay without saving: worth some patience.
constexpr int kResumeAttempts = 3;

using Regex = std::unique_ptr<re2::RE2>;

Result<Regex> compile(const std::string& expression) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  auto regex = std::make_unique<re2::RE2>(expression, options);
  if (!regex->ok())
    return fail(Code::kInvalidArgument,
                "regular expression \"" + expression + "\": " + regex->error());
  return regex;
}

std::string in_seconds(milliseconds time) {
  std::string text = std::to_string(time.count() / 1000);
  if (time.count() % 1000 != 0) text += "." + std::to_string(1000 + time.count() % 1000).substr(1);
  return text + " s";
}

// Waits for a line of output that matches.
Result<void> await_line(Runtime& runtime, const GameInstance& game, OutputFollower& output,
                        const re2::RE2& regex, milliseconds timeout,
                        const std::function<bool()>& stop) {
  const auto deadline = Clock::now() + timeout;
  const auto matches = [&](std::string_view line) {
    return re2::RE2::PartialMatch(re2::StringPiece(line.data(), line.size()), regex);
  };
  for (;;) {
    // Whether it still runs, before the last look at what it put out.
    const bool runs = TRY(runtime.state(game))
    .kind == GameState::Kind::kRunning;
    const bool late = Clock::now() >= deadline;
    if (TRY(output.read_new(matches))) return {};
    if (!runs) return fail(Code::kFailedPrecondition, "the game ended meanwhile");
    if (late)
      return fail(Code::kDeadlineExceeded, "no line of output matched \"" + regex.pattern() +
                                               "\" within " + in_seconds(timeout));
    if (!sleep_unless(kLookInterval, stop))
      return fail(Code::kCancelled, "cancelled while waiting for the game's answer");
  }
}

Result<void> take(Runtime& runtime, const GameInstance& game, const ConsoleStep& step,
                  const Regex& regex, const std::function<bool()>& stop) {
  if (!regex) return runtime.send_input(game, step.input + "\n");
  OutputFollower output = TRY(OutputFollower::from_now(runtime, game));
  TRY(runtime.send_input(game, step.input + "\n"));
  return await_line(runtime, game, output, *regex, step.timeout, stop);
}

About about(const GameInstance& game) {
  return {.session_id = game.session_id, .sgc_id = game.sgc_id};
}

}  // namespace

Quiesced::Quiesced(Runtime& runtime, GameInstance game, std::vector<std::string> resume)
    : runtime_(&runtime), game_(std::move(game)), resume_(std::move(resume)) {}

Quiesced::Quiesced(Quiesced&& other) noexcept
    : runtime_(std::exchange(other.runtime_, nullptr)),
      game_(std::move(other.game_)),
      resume_(std::move(other.resume_)) {}

Quiesced::~Quiesced() {
  if (const auto resumed = resume(); !resumed)
    log_error(about(game_), "the game could not be resumed and may not be saving: {}",
              resumed.error().message);
}

Result<void> Quiesced::resume() {
  if (runtime_ == nullptr) return {};
  TRY(resume_game(*runtime_, game_, resume_));
  runtime_ = nullptr;
  return {};
}

Result<Quiesced> quiesce(Runtime& runtime, const GameInstance& game, const QuiescePlan& plan,
                         const std::function<bool()>& stop) {
  std::vector<Regex> regexes;
  for (const ConsoleStep& step : plan.quiesce)
    regexes.push_back(step.confirm_regex.empty() ? nullptr : TRY(compile(step.confirm_regex)));
  if (plan.quiesce.empty()) return Quiesced();
  // From the first input on: one that failed may have reached the game all the same.
  Quiesced quiesced(runtime, game, plan.resume);
  for (size_t i = 0; i < plan.quiesce.size(); i++) {
    if (stop && stop()) return fail(Code::kCancelled, "cancelled before the game was quiesced");
    const ConsoleStep& step = plan.quiesce[i];
    TRY(in("quiesce step " + std::to_string(i + 1) + " (\"" + step.input + "\")",
           take(runtime, game, step, regexes[i], stop)));
  }
  return quiesced;
}

Result<void> resume_game(Runtime& runtime, const GameInstance& game,
                         const std::vector<std::string>& resume) {
  for (const std::string& input : resume) {
    const auto sent = retry(kResumeAttempts, Backoff{}, {},
                            [&] { return runtime.send_input(game, input + "\n"); });
    if (sent) continue;
    const auto state = runtime.state(game);
    if (state && state->kind != GameState::Kind::kRunning) return {};
    return in("resume (\"" + input + "\")", sent);
  }
  return {};
}

Result<void> check_regex(const std::string& expression) {
  TRY(compile(expression));
  return {};
}

}  // namespace manman
