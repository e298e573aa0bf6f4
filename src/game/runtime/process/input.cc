#include "game/runtime/process/input.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/file.h"

namespace manman::process {
namespace {

constexpr int kPatienceMs = 2000;

Result<void> wait_for_room(int fd, size_t written, size_t size) {
  pollfd waiting{fd, POLLOUT, 0};
  int ready = 0;
  do ready = ::poll(&waiting, 1, kPatienceMs);
  while (ready < 0 && errno == EINTR);
  if (ready < 0) return fail_errno("wait for the game to read its input", errno);
  if (ready > 0) return {};
  return fail(Code::kUnavailable, "it does not read its input: " + std::to_string(written) +
                                      " of " + std::to_string(size) + " bytes were taken");
}

}  // namespace

Result<void> write_input(const SessionFiles& files, std::string_view input) {
  const int flags = O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW;
  const UniqueFd fd(::open(files.input().c_str(), O_WRONLY | flags));
  if (!fd && errno == ENXIO)
    return fail(Code::kFailedPrecondition, "it has closed its standard input");
  if (!fd) return fail_errno("open fifo " + files.input().string(), errno);
  struct stat info{};
  if (::fstat(fd.get(), &info) != 0 || !S_ISFIFO(info.st_mode))
    return fail(Code::kDataLoss, files.input().string() + " is not a fifo");
  // A reader of our own: should the game end just now, writing must not raise SIGPIPE.
  const UniqueFd reader(::open(files.input().c_str(), O_RDONLY | flags));
  if (!reader) return fail_errno("open fifo " + files.input().string(), errno);

  for (size_t written = 0; written < input.size();) {
    const ssize_t count = ::write(fd.get(), input.data() + written, input.size() - written);
    if (count >= 0) {
      written += static_cast<size_t>(count);
    } else if (errno == EAGAIN) {
      TRY(wait_for_room(fd.get(), written, input.size()));
    } else if (errno != EINTR) {
      return fail_errno("write to fifo " + files.input().string(), errno);
    }
  }
  return {};
}

}  // namespace manman::process
