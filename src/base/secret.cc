#include "base/secret.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/file.h"

namespace manman {
namespace {

constexpr size_t kMaxNameBytes = 64;
constexpr size_t kMaxSecretBytes = 4096;
constexpr unsigned kOthers = S_IRWXG | S_IRWXO;

std::unexpected<Error> refused(const std::filesystem::path& path, const std::string& why,
                               const std::string& hint) {
  return std::unexpected(
      Error{Code::kFailedPrecondition, "secret " + path.string() + " " + why}.with_hint(hint));
}

Result<std::string> read_all(int fd, const std::filesystem::path& path) {
  std::array<char, kMaxSecretBytes + 1> buffer{};
  size_t size = 0;
  while (size < buffer.size()) {
    const ssize_t count = ::read(fd, buffer.data() + size, buffer.size() - size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail_errno("read secret " + path.string(), errno);
    if (count == 0) return std::string(buffer.data(), size);
    size += static_cast<size_t>(count);
  }
  return refused(path, "has more than 4 KiB", "it is to hold the password alone");
}

}  // namespace

bool is_secret_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxNameBytes && name.front() != '.' &&
         name.find_first_not_of(
             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
             std::string_view::npos;
}

Result<std::string> read_secret(const std::filesystem::path& secrets_dir, const std::string& name) {
  if (!is_secret_name(name))
    return fail(Code::kInvalidArgument,
                "the name of a secret must be 1 to 64 letters, digits, '.', '_' or '-', and not "
                "begin with '.'");
  const std::filesystem::path path = secrets_dir / name;
  // Opening a fifo would wait for its writer.
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!fd && errno == ENOENT)
    return std::unexpected(Error{Code::kNotFound, "there is no secret " + path.string()}.with_hint(
        "write the password into this file, readable by its owner alone (chmod 600)"));
  if (!fd && errno == ELOOP) return refused(path, "is a symlink", "put the file itself there");
  if (!fd) return fail_errno("open secret " + path.string(), errno);
  struct stat status{};
  if (::fstat(fd.get(), &status) != 0) return fail_errno("stat secret " + path.string(), errno);
  if (!S_ISREG(status.st_mode)) return refused(path, "is no regular file", "put a file there");
  if ((status.st_mode & kOthers) != 0)
    return refused(path, "may be read by others", "chmod 600 " + path.string());
  std::string secret = TRY(read_all(fd.get(), path));
  if (secret.ends_with('\n')) secret.pop_back();
  if (secret.ends_with('\r')) secret.pop_back();
  if (secret.empty()) return refused(path, "is empty", "write the password into it");
  if (secret.find('\0') != std::string::npos || secret.find('\n') != std::string::npos)
    return refused(path, "has more than one line", "it is to hold the password alone");
  return secret;
}

}  // namespace manman
