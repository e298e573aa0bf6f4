#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <ctime>

#include "base/file.h"
#include "base/retry.h"
#include "game/runtime/process/leftovers.h"
#include "game/runtime/process/process_runtime.h"
#include "game/runtime/process/session_files.h"
#include "game/runtime/process/wrapped_program.h"
#include "game/runtime/process/wrapper_protocol.h"

namespace manman {
namespace process {
namespace {

constexpr std::chrono::seconds kLeftoverGrace{30};
// A full disk must not cost the exit code: it is often just that which ended the game.
constexpr int kExitAttempts = 60;
constexpr std::chrono::seconds kExitRetry{1};

void complain(const Error& error) {
  std::fprintf(stderr, "%s\n", error.text().c_str());
}

// True while start() waits for the answer. When manman has ended meanwhile, the game is better not
// started: the next manman finds that it never was, and starts it itself.
bool starter_waits(int answer) {
  pollfd pipe{answer, POLLOUT, 0};
  return ::poll(&pipe, 1, 0) >= 0 && (pipe.revents & POLLERR) == 0;
}

Result<Running> running_record(pid_t game) {
  const auto self = status_of(::getpid());
  const auto child = status_of(game);
  if (!self || !child) return fail(Code::kInternal, "read the game's process from /proc");
  return Running {
    TRY(boot_id())
    , self->identity, child->identity
  };
}

// Removes state.json again when the program could not be executed.
class RunningFile {
 public:
  explicit RunningFile(const SessionFiles& files) : files_(files) {}
  RunningFile(const RunningFile&) = delete;
  RunningFile& operator=(const RunningFile&) = delete;
  ~RunningFile() {
    if (kept_) return;
    ::unlink(files_.state().c_str());
    if (const auto synced = fsync_dir(files_.dir); !synced) complain(synced.error());
  }
  void keep() { kept_ = true; }

 private:
  const SessionFiles& files_;
  bool kept_ = false;
};

Result<pid_t> start_game(const SessionFiles& files, int answer) {
  WrappedProgram program = TRY(WrappedProgram::fork_stopped(files));
  const Running running = TRY(running_record(program.pid()));
  RunningFile file(files);
  TRY(write_record(files, running));
  if (!starter_waits(answer))
    return fail(Code::kCancelled, "manman ended while the game was being started");
  TRY(program.execute());
  file.keep();
  return program.release();
}

// Waits until the game's leading process has ended, and leaves it unreaped. Others that were
// handed to this process are reaped.
Result<Exit> wait_for_game(pid_t game) {
  for (;;) {
    siginfo_t info{};
    if (::waitid(P_ALL, 0, &info, WEXITED | WNOWAIT) != 0) {
      if (errno == EINTR) continue;
      return fail_errno("wait for the game", errno);
    }
    if (info.si_pid != game) {
      ::waitpid(info.si_pid, nullptr, WNOHANG);
      continue;
    }
    Exit exit;
    const bool by_signal = info.si_code != CLD_EXITED;
    exit.signal = by_signal ? info.si_status : 0;
    exit.exit_code = by_signal ? 128 + info.si_status : info.si_status;
    exit.ended_at = ::time(nullptr);
    return exit;
  }
}

Result<void> record_exit(const SessionFiles& files, const Exit& exit) {
  for (int tried = 1;; tried++) {
    auto written = write_record(files, exit);
    if (written || tried >= kExitAttempts) return written;
    if (tried == 1) complain(written.error());
    sleep_unless(kExitRetry, {});
  }
}

Result<void> see_game_through(const SessionFiles& files, pid_t game) {
  const Exit exit = TRY(wait_for_game(game));
  if (const auto ended = end_leftovers(game, kLeftoverGrace); !ended) complain(ended.error());
  return record_exit(files, exit);
}

int run(const SessionFiles& files) {
  UniqueFd answer(kAnswerFd);
  const UniqueFd lock(kLockFd);
  ::setsid();
  if (::chdir("/") != 0) complain(errno_error("chdir /", errno));
  // What a game leaves behind becomes this process's child, so that it can be ended.
  ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  // Who ends manman does not mean its games. SIGPIPE: start() may have gone.
  for (const int signal : {SIGINT, SIGHUP, SIGTERM, SIGQUIT, SIGPIPE}) ::signal(signal, SIG_IGN);

  const auto game = start_game(files, answer.get());
  const std::string text = encode_answer(game ? Result<void>() : std::unexpected(game.error()));
  if (!game) complain(game.error());
  // Nobody to read it: the game runs all the same, and state.json says so.
  (void)write_all(answer.get(), as_bytes(text), "the answer");
  answer.reset();
  if (!game) return 1;
  const auto ended = see_game_through(files, *game);
  if (!ended) complain(ended.error());
  return ended ? 0 : 1;
}

bool started_by_manman() {
  struct stat answer{};
  return ::fstat(kAnswerFd, &answer) == 0 && S_ISFIFO(answer.st_mode) &&
         ::fcntl(kAnswerFd, F_SETFD, FD_CLOEXEC) == 0 && ::fcntl(kLockFd, F_SETFD, FD_CLOEXEC) == 0;
}

}  // namespace
}  // namespace process

int run_game_wrapper(const std::filesystem::path& dir) {
  if (!process::started_by_manman()) {
    std::fprintf(stderr, "game-wrapper is started by manman itself, for each game it runs\n");
    return 2;
  }
  const pid_t child = ::fork();
  if (child != 0) return child > 0 ? 0 : 1;  // start() waits for this one; the other is nobody's
  return process::run({dir});
}

}  // namespace manman
