#include "cli/progress_view.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <string_view>

#include "base/file.h"
#include "cli/interrupt.h"

namespace manman::cli {
namespace {

constexpr std::chrono::milliseconds kDrawInterval{100};
constexpr std::chrono::milliseconds kLineInterval{3000};
constexpr std::string_view kWipe = "\r\033[K";

size_t terminal_width() {
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 80;
}

bool stderr_is_terminal() {
  const char* term = std::getenv("TERM");
  return ::isatty(STDERR_FILENO) == 1 && term != nullptr && std::string_view(term) != "dumb";
}

void show(const std::string& text) {
  // Progress that can't be shown is no reason to end the work.
  (void)write_all(STDERR_FILENO, as_bytes(text), "standard error");
}

}  // namespace

ProgressView::ProgressView(const Globals& globals, std::string label)
    : label_(std::move(label)), terminal_(stderr_is_terminal()) {
  enabled_ = !globals.quiet && (terminal_ || !globals.json());
  // The first plain line comes only when the work takes that long.
  last_shown_ = std::chrono::steady_clock::now();
}

ProgressView::~ProgressView() {
  wipe();
}

void ProgressView::update(uint64_t done_bytes, uint64_t total_bytes, const std::string& state) {
  if (!enabled_) return;
  const auto now = std::chrono::steady_clock::now();
  meter_.add(now, done_bytes);
  if (now - last_shown_ < (terminal_ ? kDrawInterval : kLineInterval)) return;
  last_shown_ = now;
  draw({done_bytes, total_bytes, meter_.bytes_per_second()}, state);
}

void ProgressView::draw(const ProgressState& progress, const std::string& state) {
  const std::string label = state.empty() ? label_ : label_ + " " + state;
  if (!terminal_) return show(progress_line(label, progress) + "\n");
  // One column stays free: a full line would wrap on some terminals.
  show(std::string(kWipe) + progress_bar(label, progress, terminal_width() - 1));
  drawn_ = true;
}

void ProgressView::wipe() {
  if (drawn_) show(std::string(kWipe));
  drawn_ = false;
}

ProgressWatch::ProgressWatch(const Globals& globals, std::string label, Progress& progress)
    : thread_([&globals, label = std::move(label), &progress](const std::stop_token& stop) {
        ProgressView view(globals, label);
        std::mutex mutex;
        std::unique_lock lock(mutex);
        std::condition_variable_any stopped;  // wakes at once: short work doesn't wait for its view
        const auto wait = [&] {
          stopped.wait_for(lock, stop, kDrawInterval, [] { return false; });
        };
        for (wait(); !stop.stop_requested(); wait()) {
          if (interrupted()) progress.cancel = true;
          view.update(progress.done_bytes, progress.total_bytes);
        }
      }) {}

ProgressWatch::~ProgressWatch() = default;

}  // namespace manman::cli
