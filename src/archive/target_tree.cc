#include "archive/target_tree.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace manman::archive {
namespace {

constexpr int kFolderFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

// The whole way in one call. Kernels and sandboxes without it: walk() does the same by parts.
int open_beneath(int folder, const char* path) {
  open_how how{};
  how.flags = kFolderFlags;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  return static_cast<int>(::syscall(SYS_openat2, folder, path, &how, sizeof how));
}

std::unexpected<Error> blocked(std::string_view path) {
  return fail(Code::kInvalidArgument,
              "refused " + std::string(path) +
                  ": what stands on the way is a link or a file, not a folder");
}

}  // namespace

Result<TargetTree> TargetTree::open(const std::string& dir) {
  UniqueFd root(::open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!root) return fail_errno("open folder " + dir, errno);
  return TargetTree(std::move(root));
}

Result<UniqueFd> TargetTree::walk(std::string_view path, bool make_folders) {
  UniqueFd folder;
  for (std::string_view rest = path; !rest.empty();) {
    const size_t slash = rest.find('/');
    const std::string part(rest.substr(0, slash));
    rest = slash == std::string_view::npos ? std::string_view() : rest.substr(slash + 1);
    const int at = folder ? folder.get() : root();
    UniqueFd next(::openat(at, part.c_str(), kFolderFlags));
    if (!next && errno == ENOENT && make_folders) {
      if (::mkdirat(at, part.c_str(), 0755) != 0)
        return fail_errno("create folder " + std::string(path), errno);
      next = UniqueFd(::openat(at, part.c_str(), kFolderFlags));
      if (next) ::fchmod(next.get(), 0755);  // whatever the umask
    }
    if (!next && (errno == ENOTDIR || errno == ELOOP)) return blocked(path);
    if (!next) return fail_errno("open folder " + std::string(path), errno);
    folder = std::move(next);
  }
  return folder;
}

Result<TargetTree::Place> TargetTree::locate(std::string_view path, bool make_folders) {
  const size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return Place{root_, std::string(path)};
  const std::string parent(path.substr(0, slash));
  if (!cached_ || cached_path_ != parent) {
    UniqueFd folder(open_beneath(root(), parent.c_str()));
    if (!folder) folder = TRY(walk(parent, make_folders));
    cached_ = std::make_shared<UniqueFd>(std::move(folder));
    cached_path_ = parent;
  }
  return Place{cached_, std::string(path.substr(slash + 1))};
}

Result<UniqueFd> TargetTree::open_folder(std::string_view path) {
  if (path == ".") {
    UniqueFd again(::openat(root(), ".", kFolderFlags));
    if (!again) return fail_errno("open the target folder", errno);
    return again;
  }
  const Place place = TRY(locate(path, false));
  UniqueFd fd(::openat(place.folder(), place.name.c_str(), kFolderFlags));
  if (!fd && (errno == ENOTDIR || errno == ELOOP)) return blocked(path);
  if (!fd) return fail_errno("open folder " + std::string(path), errno);
  return fd;
}

Result<void> TargetTree::clear(const Place& place, std::string_view path) {
  if (::unlinkat(place.folder(), place.name.c_str(), 0) == 0 || errno == ENOENT) return {};
  if (errno == EISDIR)
    return fail(Code::kInvalidArgument,
                "refused " + std::string(path) + ": a folder stands at its path");
  return fail_errno("replace " + std::string(path), errno);
}

}  // namespace manman::archive
