#include "cli/state_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>

#include "cli/json_text.h"

namespace manman::cli {
namespace fs = std::filesystem;

Result<FolderLock> FolderLock::take(const fs::path& dir) {
  TRY(make_dirs(dir));
  const fs::path path = dir / "lock";
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!fd) return fail_errno("open " + path.string(), errno);
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return fail_errno("lock " + path.string(), errno);
    std::string holder = TRY(read_file(path, 64));
    while (!holder.empty() && holder.back() == '\n') holder.pop_back();
    return std::unexpected(
        Error{Code::kFailedPrecondition, "another manman" +
                                             (holder.empty() ? "" : " (pid " + holder + ")") +
                                             " works on " + dir.string()}
            .with_hint("stop it first, or give this one a folder of its own"));
  }
  const std::string pid = std::to_string(::getpid()) + "\n";
  if (::ftruncate(fd.get(), 0) != 0) return fail_errno("write " + path.string(), errno);
  TRY(write_all(fd.get(), as_bytes(pid), path.string()));
  return FolderLock(std::move(fd));
}

Result<EndpointsFile> EndpointsFile::write(const fs::path& state, const std::string& grpc,
                                           const std::string& http) {
  JsonObject json;
  json.add("grpc", grpc).add("http", http).add("pid", int64_t{::getpid()});
  const fs::path path = state / "endpoints.json";
  TRY(write_file_durably(path, json.text() + "\n"));
  return EndpointsFile(path);
}

EndpointsFile::~EndpointsFile() {
  if (!path_.empty()) ::unlink(path_.c_str());
}

}  // namespace manman::cli
