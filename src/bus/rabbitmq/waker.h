#pragma once

#include <chrono>
#include <memory>

#include "base/file.h"
#include "base/sync.h"

namespace manman::rabbitmq {

// Reaches the thread that works on a connection from other threads. wake() and cut() are for any
// thread, the rest for the one that works.
class Waker {
 public:
  static Result<std::unique_ptr<Waker>> create();
  explicit Waker(UniqueFd event) : event_(std::move(event)) {}

  // Ends the wait that is under way, or the next one.
  void wake();
  // Ends every wait, and shuts the attached socket down, from now on: also calls that are blocked
  // in the library return with an error.
  void cut();
  bool is_cut();

  // Waits until `socket` is ready for `events` (of poll(2)), wake(), or the time is over. True when
  // the socket is ready.
  bool wait(int socket, short events, std::chrono::milliseconds timeout);
  // The socket that cut() is to shut down; a duplicate is kept, so its number may be closed and
  // used again.
  Result<void> attach(int socket);
  void detach();

 private:
  struct State {
    bool cut = false;
    UniqueFd socket;
  };
  UniqueFd event_;
  Sync<State> state_;
};

}  // namespace manman::rabbitmq
