#pragma once

#include <functional>

namespace manman::cli {

// While one lives, SIGINT (Ctrl-C), SIGTERM and SIGHUP only set interrupted(), so that work can be
// undone in order; a second signal ends the process at once. One at a time.
class InterruptGuard {
 public:
  InterruptGuard();
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;
};

// Whether a signal came while a guard lived; also after it.
bool interrupted();
// 128 + the signal's number, as shells have it; 0 without one.
int interrupt_exit_code();

// Blocks until a signal has come. Only with a guard.
void wait_for_interrupt();

// A reader that goes away is an error of write(), not the death of this process. A handler, not
// SIG_IGN: programs started from here get the default back.
void survive_closed_pipes();

}  // namespace manman::cli
