#include "game/runtime/process/launch.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>

#include "base/file.h"
#include "base/log.h"
#include "base/retry.h"
#include "game/runtime/process/wrapper_protocol.h"
#include "game/spawn.h"

namespace manman::process {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

constexpr milliseconds kAnswerTimeout{60000};
constexpr milliseconds kSettleTimeout{5000};
constexpr milliseconds kSettleStep{10};

// The folder of a session that is being started, its lock held. Removed unless kept.
class ClaimedFolder {
 public:
  static Result<ClaimedFolder> claim(const SessionFiles& files) {
    if (::mkdir(files.dir.c_str(), 0700) != 0 && errno != EEXIST)
      return fail_errno("create folder " + files.dir.string(), errno);
    TRY(fsync_dir(files.dir.parent_path()));
    UniqueFd lock = TRY(open_lock(files));
    bool locked = TRY(try_lock(lock));
    if (!locked && TRY(settle(files))) locked = TRY(try_lock(lock));
    if (!locked || TRY(read_running(files)) || TRY(read_exit(files)))
      return fail(Code::kAlreadyExists, files.dir.string() + " was started before");
    // Whatever stands here is from a start that was cut off before its game could run.
    for (const fs::path& left : {files.spec(), files.input(), files.output(), files.wrapper_log()})
      TRY(remove_tree(left));
    return ClaimedFolder(files, std::move(lock));
  }

  ClaimedFolder(ClaimedFolder&& other) noexcept = default;
  ClaimedFolder& operator=(ClaimedFolder&&) = delete;
  ~ClaimedFolder() {
    if (!lock_) return;
    if (const auto removed = remove_tree(files_.dir); !removed)
      log_error({}, "after a failed start: {}", removed.error().message);
  }

  const UniqueFd& lock() const { return lock_; }
  // The wrapper has its own copy of the lock.
  void keep() { lock_.reset(); }

 private:
  ClaimedFolder(SessionFiles files, UniqueFd lock)
      : files_(std::move(files)), lock_(std::move(lock)) {}
  SessionFiles files_;
  UniqueFd lock_;
};

// The config's variables over a few of our own; none of our secrets.
std::map<std::string, std::string> environment_of(const GameProgram& program) {
  std::map<std::string, std::string> env = program.env;
  env.emplace("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/local/games:/usr/games");
  for (const char* name : {"PATH", "HOME", "LANG"}) {
    const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nobody sets them
    if (value != nullptr && !program.env.contains(name)) env[name] = value;
  }
  return env;
}

Result<void> make_files(const SessionFiles& files, const GameProgram& program) {
  TRY(make_dirs(files.game_dir()));
  TRY(write_record(files, Spec{program.argv, environment_of(program), program.apart}));
  if (::mkfifo(files.input().c_str(), 0600) != 0)
    return fail_errno("create fifo " + files.input().string(), errno);
  return {};
}

struct Pipe {
  UniqueFd reading;
  UniqueFd writing;
};

Result<Pipe> make_pipe() {
  int fds[2];
  if (::pipe2(fds, O_CLOEXEC) != 0) return fail_errno("make a pipe", errno);
  return Pipe{UniqueFd(fds[0]), UniqueFd(fds[1])};
}

// Starts `self_exe game-wrapper DIR`, which forks at once: the wrapper is nobody's child.
Result<void> spawn_wrapper(const fs::path& self_exe, const SessionFiles& files, int answer,
                           int lock) {
  static_assert(kAnswerFd == 3 && kLockFd == 4);
  const UniqueFd log(
      ::open(files.wrapper_log().c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (!log) return fail_errno("create " + files.wrapper_log().string(), errno);
  const pid_t child =
      TRY(in("the game's wrapper", spawn({self_exe.string(), "game-wrapper", files.dir.string()},
                                         {-1, -1, log.get(), answer, lock}, false)));
  // ECHILD: this process has its children reaped by the kernel.
  while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
  }
  return {};
}

Result<std::string> read_answer(int fd) {
  std::string answer;
  const auto deadline = std::chrono::steady_clock::now() + kAnswerTimeout;
  for (;;) {
    const auto left =
        std::chrono::duration_cast<milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd waiting{fd, POLLIN, 0};
    const int ready = left.count() <= 0 ? 0 : ::poll(&waiting, 1, static_cast<int>(left.count()));
    if (ready < 0 && errno == EINTR) continue;
    if (ready < 0) return fail_errno("wait for the game's wrapper", errno);
    if (ready == 0)
      return fail(Code::kDeadlineExceeded, "the game's wrapper gave no answer within 60 s");
    char buffer[4096];
    const ssize_t count = ::read(fd, buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail_errno("read from the game's wrapper", errno);
    if (count == 0) return answer;
    answer.append(buffer, static_cast<size_t>(count));
  }
}

Result<void> check_text(const std::string& text, const std::string& what) {
  if (text.find('\0') == std::string::npos) return {};
  return fail(Code::kInvalidArgument, what + " holds a NUL byte");
}

}  // namespace

Result<void> check_program(const GameProgram& program) {
  if (!program.image.empty())
    return fail(Code::kInvalidArgument, "image " + program.image + " can't be run as a process");
  if (program.argv.empty() || program.argv.front().empty())
    return fail(Code::kInvalidArgument, "the game config names no program to run");
  for (const std::string& argument : program.argv)
    TRY(check_text(argument, "an argument of " + program.argv.front()));
  for (const auto& [name, value] : program.env) {
    if (name.empty() || name.find_first_of(std::string_view("=\0", 2)) != std::string::npos)
      return fail(Code::kInvalidArgument, "environment variable \"" + name + "\" has a bad name");
    TRY(check_text(value, "environment variable " + name));
  }
  return {};
}

Result<bool> settle(const SessionFiles& files) {
  const auto deadline = std::chrono::steady_clock::now() + kSettleTimeout;
  for (;;) {
    if (TRY(read_running(files)) || !TRY(is_locked(files))) return true;
    if (std::chrono::steady_clock::now() >= deadline) return false;
    sleep_unless(kSettleStep, {});
  }
}

Result<void> launch(const fs::path& self_exe, const SessionFiles& files,
                    const GameProgram& program) {
  TRY(make_dirs(files.dir.parent_path()));
  ClaimedFolder folder = TRY(ClaimedFolder::claim(files));
  TRY(make_files(files, program));
  Pipe answer = TRY(make_pipe());
  TRY(spawn_wrapper(self_exe, files, answer.writing.get(), folder.lock().get()));
  answer.writing.reset();
  auto text = read_answer(answer.reading.get());
  if (!text) {
    // The wrapper may be at work yet. It gives up when it finds nobody to answer, and has the lock.
    folder.keep();
    return std::unexpected(std::move(text).error());
  }
  TRY(decode_answer(*text));
  folder.keep();
  return {};
}

}  // namespace manman::process
