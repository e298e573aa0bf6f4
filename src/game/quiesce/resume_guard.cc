#include "game/quiesce/resume_guard.h"

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/log.h"
#include "base/retry.h"
#include "game/quiesce/quiesce.h"
#include "game/spawn.h"

namespace manman {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// What passes over the link, a socket that is the guard's standard input: one line of JSON to the
// guard, its "ready", then "done" or the link's end.
constexpr char kReady = 'r';
constexpr char kDone = 'd';
constexpr milliseconds kStartTimeout{20'000};
constexpr milliseconds kEndTimeout{5'000};
constexpr size_t kMaxSpecBytes = 1U << 20;
// A game that takes no input now may do so soon.
constexpr int kResumeAttempts = 60;
constexpr Backoff kBackoff{milliseconds(1000), milliseconds(2000)};

About about(const GameInstance& game) {
  return {.session_id = game.session_id, .sgc_id = game.sgc_id};
}

std::string to_json(const GuardedGame& guarded) {
  const nlohmann::json json = {
      {"session_id", guarded.game.session_id},    {"sgc_id", guarded.game.sgc_id},
      {"gsc_dir", guarded.game.gsc_dir.string()}, {"resume", guarded.resume},
      {"rcon_port", guarded.rcon.port},           {"rcon_secret", guarded.rcon.secret.string()},
      {"limit_ms", guarded.limit.count()}};
  return json.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
}

Result<GuardedGame> parse(const std::string& text) {
  try {
    const auto json = nlohmann::json::parse(text);
    GuardedGame guarded;
    guarded.game = {json.at("session_id"), json.at("sgc_id"),
                    json.at("gsc_dir").get<std::string>()};
    guarded.resume = json.at("resume");
    guarded.rcon = {json.at("rcon_port"), json.at("rcon_secret").get<std::string>()};
    guarded.limit = milliseconds(json.at("limit_ms").get<int64_t>());
    return guarded;
  } catch (const nlohmann::json::exception& error) {
    return fail(Code::kInvalidArgument, std::string("what to guard: ") + error.what());
  }
}

// Whether the link has something, or has ended, by the deadline.
bool wait_for(int fd, Clock::time_point deadline) {
  for (;;) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - Clock::now());
    pollfd waiting{fd, POLLIN, 0};
    const int ready = ::poll(&waiting, 1, static_cast<int>(std::max<int64_t>(left.count(), 0)));
    if (ready >= 0 || errno != EINTR) return ready != 0;
  }
}

// The next byte; nothing at the link's end.
std::optional<char> read_byte(int fd) {
  char byte = 0;
  for (;;) {
    const ssize_t count = ::read(fd, &byte, 1);
    if (count == 1) return byte;
    if (count == 0 || errno != EINTR) return std::nullopt;
  }
}

bool send_text(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    text.remove_prefix(static_cast<size_t>(count));
  }
  return true;
}

// Waits a while for a guard that has been told to end, then ends it.
void reap(pid_t pid) {
  const auto deadline = Clock::now() + kEndTimeout;
  while (::waitpid(pid, nullptr, WNOHANG) == 0) {
    if (Clock::now() >= deadline) ::kill(pid, SIGKILL);
    sleep_unless(milliseconds(2), {});
  }
}

std::string read_line(int fd) {
  std::string line;
  for (auto byte = read_byte(fd); byte && *byte != '\n'; byte = read_byte(fd)) {
    line += *byte;
    if (line.size() > kMaxSpecBytes) return "";
  }
  return line;
}

int guard(const GuardedGame& guarded, Console& console) {
  const auto deadline = Clock::now() + guarded.limit;
  if (!send_text(0, {&kReady, 1})) log_warn(about(guarded.game), "nobody waits for the guard");
  if (wait_for(0, deadline)) {
    if (read_byte(0) == kDone) return 0;
    log_warn(about(guarded.game), "the host manager ended while the game was quiesced");
  } else {
    log_warn(about(guarded.game), "the game is quiesced for longer than it may be");
  }
  const auto resumed = retry(kResumeAttempts, kBackoff, {}, [&] {
    auto done = resume_game(console, guarded.resume);
    if (!done) done.error().retryable = true;
    return done;
  });
  if (resumed) {
    log_info(about(guarded.game), "the guard has resumed the game");
    return 0;
  }
  log_error(about(guarded.game), "the guard could not resume the game, it may not save: {}",
            resumed.error().message);
  return 1;
}

}  // namespace

Result<ResumeGuard> ResumeGuard::start(const std::vector<std::string>& program,
                                       const GuardedGame& game) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    return fail_errno("make a socket pair", errno);
  UniqueFd ours(ends[0]);
  UniqueFd theirs(ends[1]);
  const pid_t pid = TRY(spawn(program, {theirs.get(), -1, STDERR_FILENO}, true));
  theirs.reset();
  ResumeGuard guard(pid, std::move(ours));
  const int link = guard.link_.get();
  const bool told = send_text(link, to_json(game) + "\n");
  if (told && wait_for(link, Clock::now() + kStartTimeout) && read_byte(link) == kReady)
    return guard;
  // Nothing is quiesced yet.
  ::kill(pid, SIGKILL);
  guard.dismiss();
  return fail(Code::kUnavailable, "the process that guards the game's resuming did not start");
}

ResumeGuard::ResumeGuard(pid_t pid, UniqueFd link) : pid_(pid), link_(std::move(link)) {}
ResumeGuard::ResumeGuard(ResumeGuard&& other) noexcept
    : pid_(std::exchange(other.pid_, 0)), link_(std::move(other.link_)) {}

ResumeGuard::~ResumeGuard() {
  if (pid_ == 0) return;
  link_.reset();
  // It may take a minute; the process stays for the kernel to reap once this one ends.
  (void)::waitpid(pid_, nullptr, WNOHANG);
}

void ResumeGuard::dismiss() {
  if (pid_ == 0) return;
  (void)send_text(link_.get(), {&kDone, 1});
  link_.reset();
  reap(std::exchange(pid_, 0));
}

int run_resume_guard(
    const std::function<Result<std::unique_ptr<Console>>(const GuardedGame&)>& open_console) {
  for (const int signal : {SIGINT, SIGHUP, SIGTERM, SIGQUIT, SIGPIPE}) ::signal(signal, SIG_IGN);
  const auto guarded = parse(read_line(0));
  if (!guarded) {
    std::fprintf(stderr, "resume-guard is started by manman itself, beside a quiesced game\n");
    return 2;
  }
  const auto console = open_console(*guarded);
  if (!console) {
    log_error(about(guarded->game), "guard: {}", console.error().message);
    return 1;
  }
  return guard(*guarded, **console);
}

}  // namespace manman
