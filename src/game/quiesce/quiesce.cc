#include "game/quiesce/quiesce.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include "base/failpoint.h"
#include "base/log.h"
#include "base/retry.h"
#include "game/quiesce/line_regex.h"

namespace manman {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// How often output is looked at: a quiesced game's players feel every moment of it.
constexpr milliseconds kLookInterval{10};
// A game that does not take its resume inputs would stay without saving: worth some patience.
constexpr int kResumeAttempts = 3;
constexpr std::chrono::seconds kResumeTimeout{20};
// And then again and again, where nobody else sees to it.
constexpr milliseconds kResumeInterval{1000};

std::string in_seconds(milliseconds time) {
  std::string text = std::to_string(time.count() / 1000);
  if (time.count() % 1000 != 0) text += "." + std::to_string(1000 + time.count() % 1000).substr(1);
  return text + " s";
}

// Items "path:length", parted by ", ".
bool lists_files(std::string_view line) {
  static const re2::RE2 kList(R"(^[^:]+:\d+(, [^:]+:\d+)*$)");
  return found_in(line, kList);
}

// One step of a quiesce, from its input to its confirmation.
class Step {
 public:
  Step(Console& console, const ConsoleStep& step, const LineRegex& regex)
      : console_(console), step_(step), regex_(regex) {}

  Result<void> take(const std::function<bool()>& stop) {
    const auto deadline = Clock::now() + step_.timeout;
    if (regex_) TRY(console_.listen());
    TRY(console_.send(step_.input, deadline, stop));
    return regex_ ? await_answer(deadline, stop) : Result<void>();
  }
  std::string take_file_list() { return std::move(file_list_); }

 private:
  Result<void> await_answer(Clock::time_point deadline, const std::function<bool()>& stop) {
    auto next_input = Clock::now() + step_.repeat;
    for (;;) {
      // Whether it still runs, before the last look at what it put out.
      const bool runs = TRY(console_.game_runs());
      const bool late = Clock::now() >= deadline;
      if (TRY(console_.read_answer([&](std::string_view line) { return is_done(line); })))
        return {};
      if (!runs) return fail(Code::kFailedPrecondition, "the game ended meanwhile");
      if (late) return fail(Code::kDeadlineExceeded, missing());
      if (!sleep_unless(kLookInterval, stop))
        return fail(Code::kCancelled, "cancelled while waiting for the game's answer");
      if (step_.repeat.count() == 0 || confirmed_ || Clock::now() < next_input) continue;
      TRY(console_.send(step_.input, deadline, stop));
      next_input = Clock::now() + step_.repeat;
    }
  }

  bool is_done(std::string_view line) {
    if (!confirmed_) {
      confirmed_ = found_in(line, *regex_);
      return confirmed_ && !step_.lists_files;
    }
    if (!lists_files(line)) return false;
    file_list_ = line;
    return true;
  }

  std::string missing() const {
    const std::string within = " within " + in_seconds(step_.timeout);
    if (confirmed_) return "the game said that it is ready, but gave no list of files" + within;
    return "no line of output matched \"" + regex_->pattern() + "\"" + within;
  }

  Console& console_;
  const ConsoleStep& step_;
  const LineRegex& regex_;
  bool confirmed_ = false;
  std::string file_list_;
};

About about(const GameInstance& game) {
  return {.session_id = game.session_id, .sgc_id = game.sgc_id};
}

}  // namespace

Result<void> resume_game(Console& console, const std::vector<std::string>& resume) {
  for (const std::string& input : resume) {
    const auto sent = retry(kResumeAttempts, Backoff{}, {},
                            [&] { return console.send(input, Clock::now() + kResumeTimeout, {}); });
    if (sent) continue;
    const auto runs = console.game_runs();
    if (runs && !*runs) return {};
    return in("resume (\"" + input + "\")", sent);
  }
  return {};
}

// The game between the first quiesce input and the resume inputs.
class Quiesced::Hold {
 public:
  Hold(std::unique_ptr<Console> console, const QuiescePlan& plan, std::optional<ResumeGuard> guard)
      : console_(std::move(console)),
        resume_(plan.resume),
        max_pause_(plan.max_pause),
        guard_(std::move(guard)) {}
  Hold(const Hold&) = delete;
  Hold& operator=(const Hold&) = delete;
  ~Hold() {
    if (watchdog_.joinable()) {
      watchdog_.request_stop();
      watchdog_.join();
    }
    if (const auto resumed = resume(); !resumed)
      log_error(about(console_->game()), "the game could not be resumed and may not be saving: {}",
                resumed.error().message);
  }

  Console& console() { return *console_; }

  // All steps have been taken: from now on the pause counts.
  void begin() {
    since_ = Clock::now();
    if (max_pause_.count() > 0)
      watchdog_ = std::jthread([this](const std::stop_token& stop) { watch(stop); });
  }

  Result<void> resume() {
    const std::lock_guard lock(mutex_);
    if (!held_) return {};
    const auto now = Clock::now();
    TRY(resume_game(*console_, resume_));
    ended_ = now;
    held_ = false;
    resumed_.notify_all();
    if (guard_) guard_->dismiss();
    return {};
  }

  bool held() const { return held_; }
  bool overran() const { return overran_; }
  milliseconds pause() const {
    const std::lock_guard lock(mutex_);
    const auto end = held_ ? Clock::now() : ended_;
    return since_ == Clock::time_point() || end < since_
               ? milliseconds(0)
               : std::chrono::duration_cast<milliseconds>(end - since_);
  }

  std::string unconfirmed;
  std::string file_list;

 private:
  void watch(const std::stop_token& stop) {
    {
      std::unique_lock lock(mutex_);
      if (resumed_.wait_until(lock, stop, since_ + max_pause_, [&] { return !held_; })) return;
    }
    overran_ = true;
    while (!stop.stop_requested()) {
      log_warn(about(console_->game()), "held still for {}: the game goes on now",
               in_seconds(max_pause_));
      const auto resumed = resume();
      if (resumed) return;
      log_error(about(console_->game()), "the game does not take its resume inputs: {}",
                resumed.error().message);
      std::unique_lock lock(mutex_);
      resumed_.wait_for(lock, stop, kResumeInterval, [&] { return !held_.load(); });
    }
  }

  const std::unique_ptr<Console> console_;
  const std::vector<std::string> resume_;
  const milliseconds max_pause_;

  mutable std::mutex mutex_;  // of what follows, and of the console once the steps are taken
  std::condition_variable_any resumed_;
  std::optional<ResumeGuard> guard_;
  std::atomic<bool> held_{true};
  std::atomic<bool> overran_{false};
  Clock::time_point since_;
  Clock::time_point ended_;
  std::jthread watchdog_;
};

Quiesced::Quiesced() = default;
Quiesced::Quiesced(std::unique_ptr<Hold> hold) : hold_(std::move(hold)) {}
Quiesced::Quiesced(Quiesced&&) noexcept = default;
Quiesced::~Quiesced() = default;

Result<void> Quiesced::resume() {
  return hold_ ? hold_->resume() : Result<void>();
}
bool Quiesced::held() const {
  return hold_ && hold_->held();
}
bool Quiesced::overran() const {
  return hold_ && hold_->overran();
}
milliseconds Quiesced::pause() const {
  return hold_ ? hold_->pause() : milliseconds(0);
}

const std::string& Quiesced::unconfirmed() const {
  static const std::string kNotAsked = "the game was not asked to hold still";
  return hold_ ? hold_->unconfirmed : kNotAsked;
}

const std::string& Quiesced::file_list() const {
  static const std::string kNone;
  return hold_ ? hold_->file_list : kNone;
}

Result<Quiesced> quiesce(std::unique_ptr<Console> console, const QuiescePlan& plan,
                         const std::function<bool()>& stop, std::optional<ResumeGuard> guard) {
  std::vector<LineRegex> regexes;
  for (const ConsoleStep& step : plan.quiesce) {
    regexes.push_back(step.confirm_regex.empty() ? nullptr
                                                 : TRY(compile_line_regex(step.confirm_regex)));
  }
  if (plan.quiesce.empty()) {
    if (guard) guard->dismiss();
    return Quiesced();
  }
  // From the first input on: one that failed may have reached the game all the same.
  auto hold = std::make_unique<Quiesced::Hold>(std::move(console), plan, std::move(guard));
  // What an earlier step confirms says nothing of what the last one asks for.
  if (!regexes.back()) hold->unconfirmed = "its last quiesce step waits for no confirmation";
  for (size_t i = 0; i < plan.quiesce.size(); i++) {
    if (stop && stop()) return fail(Code::kCancelled, "cancelled before the game was quiesced");
    Step step(hold->console(), plan.quiesce[i], regexes[i]);
    const auto taken =
        in("quiesce step " + std::to_string(i + 1) + " (\"" + plan.quiesce[i].input + "\")",
           step.take(stop));
    const bool unconfirmed = !taken && taken.error().code == Code::kDeadlineExceeded;
    if (!taken && !(unconfirmed && plan.go_on_unconfirmed)) return std::unexpected(taken.error());
    if (unconfirmed) hold->unconfirmed = taken.error().message;
    if (plan.quiesce[i].lists_files) hold->file_list = step.take_file_list();
    TRY(failpoint::pass("backup.quiesce_step"));
  }
  hold->begin();
  return Quiesced(std::move(hold));
}

}  // namespace manman
