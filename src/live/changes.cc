#include "live/changes.h"

#include <fcntl.h>

#include <cerrno>

#include "archive/file_clock.h"
#include "archive/tree_walker.h"
#include "archive/warnings.h"
#include "base/path_patterns.h"
#include "live/fresh.h"

namespace manman::live {
namespace {}  // namespace

Result<Moment> moment_now(const std::filesystem::path& dir) {
  const UniqueFd folder(::open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder) return fail_errno("open folder " + dir.string(), errno);
  return Moment {
    TRY(archive::file_clock_now(folder.get()))
  };
}

Result<Changes> changed_since(const std::filesystem::path& dir, const Moment& moment,
                              const std::vector<std::string>& leave_out,
                              const std::function<bool()>& stop) {
  const auto patterns = TRY(PathPatterns::compile(leave_out));
  const timespec from = earlier(moment.time, kTick);
  archive::Warnings changed;
  const auto visit = [&](const archive::Found& found) -> Result<void> {
    if (stop && stop()) return fail(Code::kCancelled, "cancelled");
    if (!archive::before(found.info.st_ctim, from) || !archive::before(found.info.st_mtim, from))
      changed.add(found.path.empty() ? "." : found.path);
    return {};
  };
  archive::TreeWalker walker(
      visit, [&](const std::string& path, std::string_view, bool) { changed.add(path); },
      {.special_files = true,
       .files = archive::LookAtFiles::kStat,
       .leave_out = [&](const std::string& path, const struct stat& info) {
         return patterns.match(path, S_ISDIR(info.st_mode));
       }});
  TRY(walker.walk(dir.string()));
  Changes changes;
  changed.move_to(changes.paths, changes.count);
  return changes;
}

}  // namespace manman::live
