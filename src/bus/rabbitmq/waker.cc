#include "bus/rabbitmq/waker.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace manman::rabbitmq {

Result<std::unique_ptr<Waker>> Waker::create() {
  UniqueFd event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!event) return fail_errno("make an eventfd", errno);
  return std::make_unique<Waker>(std::move(event));
}

void Waker::wake() {
  const uint64_t one = 1;
  // Only a full counter fails, and that wakes as well.
  [[maybe_unused]] const auto written = ::write(event_.get(), &one, sizeof(one));
}

void Waker::cut() {
  {
    auto state = state_.lock();
    state->cut = true;
    if (state->socket) ::shutdown(state->socket.get(), SHUT_RDWR);
  }
  wake();
}

bool Waker::is_cut() {
  return state_.lock()->cut;
}

bool Waker::wait(int socket, short events, std::chrono::milliseconds timeout) {
  std::array<pollfd, 2> fds{pollfd{event_.get(), POLLIN, 0}, pollfd{socket, events, 0}};
  if (::poll(fds.data(), fds.size(), static_cast<int>(timeout.count())) <= 0) return false;
  if (fds[0].revents != 0 && !is_cut()) {
    uint64_t count = 0;
    [[maybe_unused]] const auto read = ::read(event_.get(), &count, sizeof(count));
  }
  return fds[1].revents != 0;
}

Result<void> Waker::attach(int socket) {
  UniqueFd duplicate(::fcntl(socket, F_DUPFD_CLOEXEC, 0));
  if (!duplicate) return fail_errno("duplicate a socket", errno);
  auto state = state_.lock();
  state->socket = std::move(duplicate);
  if (state->cut) ::shutdown(state->socket.get(), SHUT_RDWR);
  return {};
}

void Waker::detach() {
  state_.lock()->socket.reset();
}

}  // namespace manman::rabbitmq
