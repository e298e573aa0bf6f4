#include "game/runtime/process/wrapped_program.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <optional>
#include <utility>

#include "game/runtime/process/seclusion.h"

namespace manman::process {
namespace fs = std::filesystem;
namespace {

struct Failure {
  enum class Step : int { kSeclusion, kFolder, kProgram };
  Step step = Step::kProgram;
  int error_number = 0;
  char why[200] = "";  // of a seclusion
};

struct Pipe {
  UniqueFd reading;
  UniqueFd writing;
};

Result<Pipe> make_pipe() {
  int fds[2];
  if (::pipe2(fds, O_CLOEXEC) != 0) return fail_errno("make a pipe", errno);
  return Pipe{UniqueFd(fds[0]), UniqueFd(fds[1])};
}

// Reads an object of a few bytes; false when the other side closed the pipe without it.
template <typename T>
bool read_object(int fd, T& object) {
  ssize_t count = 0;
  do count = ::read(fd, &object, sizeof object);
  while (count < 0 && errno == EINTR);
  return count == static_cast<ssize_t>(sizeof object);
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (std::string& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

// All that the child needs, made before the fork.
struct Plan {
  UniqueFd input;
  UniqueFd output;
  std::string folder;
  std::vector<std::string> argv;
  std::vector<std::string> env;
  std::optional<Apart> apart;
};

Result<Plan> make_plan(const SessionFiles& files, const Spec& spec) {
  Plan plan;
  // Open for writing too: the game never sees the end of its input, whoever comes and goes.
  plan.input = UniqueFd(::open(files.input().c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
  if (!plan.input) return fail_errno("open fifo " + files.input().string(), errno);
  plan.output = UniqueFd(
      ::open(files.output().c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!plan.output) return fail_errno("open " + files.output().string(), errno);
  plan.folder = files.game_dir().string();
  plan.argv = spec.argv;
  plan.apart = spec.apart;
  for (const auto& [name, value] : spec.env) plan.env.push_back(name + "=" + value);
  return plan;
}

[[noreturn]] void run_child(Plan& plan, int go, int failure) {
  ::setpgid(0, 0);
  char byte = 0;
  if (!read_object(go, byte)) ::_exit(127);
  // What the wrapper ignores the game shall see.
  for (int signal = 1; signal < NSIG; signal++) ::signal(signal, SIG_DFL);
  const auto fail_with = [&](Failure::Step step, const std::string& why = {}) {
    Failure report{.step = step, .error_number = errno};
    why.copy(report.why, sizeof report.why - 1);
    (void)!::write(failure, &report, sizeof report);
    ::_exit(127);
  };
  if (plan.apart) {
    auto secluded = seclude(*plan.apart, fs::path(plan.folder).parent_path());
    if (secluded) secluded = go_on_inside();
    if (!secluded) fail_with(Failure::Step::kSeclusion, secluded.error().message);
  }
  if (::chdir(plan.folder.c_str()) != 0) fail_with(Failure::Step::kFolder);
  if (::dup2(plan.input.get(), 0) < 0 || ::dup2(plan.output.get(), 1) < 0 ||
      ::dup2(plan.output.get(), 2) < 0)
    fail_with(Failure::Step::kProgram);
  const auto argv = pointers(plan.argv);
  auto env = pointers(plan.env);
  environ = env.data();  // execvp looks the program up in the PATH that the game will see
  ::execvp(argv[0], argv.data());
  fail_with(Failure::Step::kProgram);
  std::unreachable();
}

}  // namespace

Result<WrappedProgram> WrappedProgram::fork_stopped(const SessionFiles& files) {
  const auto read = read_spec(files);
  if (!read) return std::unexpected(read.error());
  const Spec& spec = *read;
  Plan plan = TRY(make_plan(files, spec));
  Pipe go = TRY(make_pipe());
  Pipe failure = TRY(make_pipe());
  WrappedProgram program;
  program.what_ = "run " + spec.argv.at(0) + " in " + plan.folder;
  if (const auto path = spec.env.find("PATH");
      path != spec.env.end() && spec.argv.at(0).find('/') == std::string::npos)
    program.what_ += " (looked for in PATH " + path->second + ")";

  const pid_t child = ::fork();
  if (child < 0) return fail_errno("fork", errno);
  if (child == 0) {
    go.writing.reset();
    run_child(plan, go.reading.get(), failure.writing.get());
  }
  ::setpgid(child, child);  // as the child does: whichever comes first
  program.pid_ = child;
  program.go_ = std::move(go.writing);
  program.failure_ = std::move(failure.reading);
  return program;
}

WrappedProgram::~WrappedProgram() {
  if (!go_ && !failure_) return;
  go_.reset();
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

Result<void> WrappedProgram::execute() {
  const char byte = 1;
  TRY(write_all(go_.get(), std::as_bytes(std::span(&byte, 1)), "the game's process"));
  Failure failure;
  if (!read_object(failure_.get(), failure)) return {};
  if (failure.step == Failure::Step::kSeclusion)
    return fail(Code::kFailedPrecondition,
                what_ + ": it can't be kept apart from the network and the other games here: " +
                    failure.why);
  Error error =
      errno_error(failure.step == Failure::Step::kFolder ? what_ + ": enter the folder" : what_,
                  failure.error_number);
  error.code = Code::kFailedPrecondition;
  return std::unexpected(std::move(error));
}

pid_t WrappedProgram::release() {
  go_.reset();
  failure_.reset();
  return pid_;
}

}  // namespace manman::process
