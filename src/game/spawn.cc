#include "game/spawn.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>

#include <cerrno>
#include <cstdlib>
#include <utility>

#include "base/file.h"

namespace manman {
namespace {

// Descriptors far from those that the program is given, so that none is overwritten on the way.
constexpr int kApart = 100;

Result<UniqueFd> moved_up(int fd) {
  UniqueFd high(::fcntl(fd, F_DUPFD_CLOEXEC, kApart));
  if (!high) return fail_errno("copy a file descriptor", errno);
  return high;
}

// posix_spawn's two parameter objects.
class Options {
 public:
  explicit Options(bool own_session) {
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    const int flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
    posix_spawnattr_setflags(&attributes,
                             static_cast<short>(flags | (own_session ? POSIX_SPAWN_SETSID : 0)));
    sigset_t signals;
    sigemptyset(&signals);
    posix_spawnattr_setsigmask(&attributes, &signals);
    sigfillset(&signals);
    posix_spawnattr_setsigdefault(&attributes, &signals);
  }
  Options(const Options&) = delete;
  Options& operator=(const Options&) = delete;
  ~Options() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }

  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
};

}  // namespace

Result<pid_t> spawn(std::vector<std::string> program, const std::vector<int>& fds,
                    bool own_session) {
  Options options(own_session);
  std::vector<UniqueFd> sources;
  for (size_t i = 0; i < fds.size(); i++) {
    const int target = static_cast<int>(i);
    if (fds[i] < 0) {
      posix_spawn_file_actions_addopen(&options.actions, target, "/dev/null", O_RDWR, 0);
      continue;
    }
    sources.push_back(TRY(moved_up(fds[i])));
    posix_spawn_file_actions_adddup2(&options.actions, sources.back().get(), target);
  }
  posix_spawn_file_actions_addclosefrom_np(&options.actions, static_cast<int>(fds.size()));

  std::vector<char*> argv;
  for (std::string& word : program) argv.push_back(word.data());
  argv.push_back(nullptr);
  const char* library_path = std::getenv("LD_LIBRARY_PATH");  // NOLINT(concurrency-mt-unsafe)
  std::string libraries = std::string("LD_LIBRARY_PATH=") + (library_path ? library_path : "");
  char* const env[] = {library_path ? libraries.data() : nullptr, nullptr};

  pid_t child = 0;
  const int error = ::posix_spawn(&child, program.front().c_str(), &options.actions,
                                  &options.attributes, argv.data(), env);
  if (error != 0) return fail_errno("run " + program.front(), error);
  return child;
}

}  // namespace manman
