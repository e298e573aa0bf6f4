#include "cli/interrupt.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>

namespace manman::cli {
namespace {

constexpr std::array kSignals{SIGINT, SIGTERM, SIGHUP};

std::atomic<int> received{0};
static_assert(std::atomic<int>::is_always_lock_free);
int wake_pipe[2] = {-1, -1};
std::array<struct sigaction, kSignals.size()> before;

void on_signal(int signal) {
  if (received.exchange(signal) != 0) ::_exit(128 + signal);
  const char byte = 0;
  [[maybe_unused]] const ssize_t written = ::write(wake_pipe[1], &byte, 1);
}

}  // namespace

InterruptGuard::InterruptGuard() {
  if (wake_pipe[0] < 0 && ::pipe2(wake_pipe, O_CLOEXEC | O_NONBLOCK) != 0) wake_pipe[0] = -1;
  struct sigaction action{};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  for (size_t i = 0; i < kSignals.size(); i++) {
    ::sigaction(kSignals[i], nullptr, &before[i]);
    // nohup's wish, and a shell's for what runs in its background.
    if (before[i].sa_handler != SIG_IGN) ::sigaction(kSignals[i], &action, nullptr);
  }
}

InterruptGuard::~InterruptGuard() {
  for (size_t i = 0; i < kSignals.size(); i++) ::sigaction(kSignals[i], &before[i], nullptr);
}

bool interrupted() {
  return received != 0;
}

int interrupt_exit_code() {
  return received == 0 ? 0 : 128 + received;
}

void wait_for_interrupt() {
  while (!interrupted()) {
    // The timeout is for the case that no pipe could be made.
    pollfd wake{wake_pipe[0], POLLIN, 0};
    ::poll(&wake, 1, 1000);
  }
}

void survive_closed_pipes() {
  struct sigaction action{};
  action.sa_handler = [](int) {};
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  ::sigaction(SIGPIPE, &action, nullptr);
}

}  // namespace manman::cli
