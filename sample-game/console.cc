#include "sample-game/console.h"

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdio>
#include <ctime>

namespace sample_game {
namespace {

constexpr size_t kMaxLineBytes = 64U << 10;

}  // namespace

void say(const std::string& text) {
  const time_t now = ::time(nullptr);
  tm parts{};
  ::localtime_r(&now, &parts);
  std::printf("[%02d:%02d:%02d] [Server thread/INFO]: %s\n", parts.tm_hour, parts.tm_min,
              parts.tm_sec, text.c_str());
  std::fflush(stdout);
}

manman::Result<Console> Console::open() {
  sigset_t stops;
  sigemptyset(&stops);
  sigaddset(&stops, SIGTERM);
  sigaddset(&stops, SIGINT);
  ::sigprocmask(SIG_BLOCK, &stops, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  manman::UniqueFd signals(::signalfd(-1, &stops, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals) return manman::fail_errno("signalfd", errno);
  return Console(std::move(signals));
}

std::optional<std::string> Console::take_line() {
  const size_t end = begun_.find('\n');
  if (end == std::string::npos) {
    if (begun_.size() > kMaxLineBytes) begun_.clear();
    return std::nullopt;
  }
  std::string line = begun_.substr(0, end);
  begun_.erase(0, end + 1);
  if (line.ends_with('\r')) line.pop_back();
  return line;
}

std::optional<std::string> Console::next(std::chrono::steady_clock::time_point until) {
  for (;;) {
    if (auto line = take_line()) return line;
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    pollfd waiting[2] = {{signals_.get(), POLLIN, 0}, {input_open_ ? 0 : -1, POLLIN, 0}};
    const int ready =
        ::poll(waiting, 2, static_cast<int>(std::clamp<int64_t>(left.count(), 0, INT_MAX)));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return std::nullopt;
    signalfd_siginfo info{};
    if (waiting[0].revents != 0 && ::read(signals_.get(), &info, sizeof info) > 0) return "stop";
    if (waiting[1].revents == 0) continue;
    char buffer[4096];
    const ssize_t count = ::read(0, buffer, sizeof buffer);
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (count <= 0) input_open_ = false;
    if (count > 0) begun_.append(buffer, static_cast<size_t>(count));
  }
}

}  // namespace sample_game
