#include "host/fingerprint.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "archive/tree_walker.h"
#include "base/path_patterns.h"
#include "base/retry.h"
#include "base/sha256.h"
#include "live/changes.h"

namespace manman::host {
namespace {

constexpr std::string_view kVersion = "manman fingerprint 1";
// Two writes within a tick of the clock that stamps files look like one.
constexpr std::chrono::milliseconds kSettled{40};
constexpr int kLooks = 3;

int64_t nanoseconds(const timespec& time) {
  return time.tv_sec * 1'000'000'000 + time.tv_nsec;
}

class Fingerprint {
 public:
  explicit Fingerprint(const BackupCommand& command) {
    add(kVersion);
    add(command.compression.format_text());
    add(command.compression.level_text());
    for (const std::string& pattern : command.launch.handling.leave_out) add(pattern);
  }

  void add(const archive::Found& found) {
    add(found.path);
    const struct stat& info = found.info;
    const int64_t numbers[] = {static_cast<int64_t>(info.st_mode),
                               static_cast<int64_t>(info.st_size), nanoseconds(info.st_mtim),
                               nanoseconds(info.st_ctim),
                               static_cast<int64_t>(found.is_mount_point())};
    hash_.update(std::as_bytes(std::span(numbers)));
    newest_ = std::max(newest_, nanoseconds(info.st_ctim));
  }
  // What was not visited.
  void doubt() { sure_ = false; }

  std::string finish(const live::Moment& begun) {
    const int64_t settled = std::chrono::nanoseconds(kSettled).count();
    if (!sure_ || newest_ + settled > nanoseconds(begun.time)) return "";
    return to_hex(hash_.finish());
  }

 private:
  // With its length, so that no two lists of texts look alike.
  void add(std::string_view text) {
    const uint64_t size = text.size();
    hash_.update(std::as_bytes(std::span(&size, 1)));
    hash_.update(as_bytes(text));
  }

  Sha256 hash_;
  int64_t newest_ = 0;
  bool sure_ = true;
};

Result<std::string> look_once(const GscDir& gsc, Job& job, const BackupCommand& command) {
  const auto patterns = TRY(PathPatterns::compile(command.launch.handling.leave_out));
  const live::Moment begun = TRY(live::moment_now(gsc.root));
  Fingerprint fingerprint(command);
  archive::TreeWalker walker(
      [&](archive::Found found) -> Result<void> {
        if (job.cancelled()()) return fail(Code::kCancelled, "cancelled");
        fingerprint.add(found);
        return {};
      },
      [&](const std::string&, std::string_view, bool) { fingerprint.doubt(); },
      {.special_files = true,
       .files = archive::LookAtFiles::kStat,
       .leave_out = [&](const std::string& path, const struct stat& info) {
         return patterns.match(path, S_ISDIR(info.st_mode));
       }});
  TRY(walker.walk(gsc.game().string()));
  return fingerprint.finish(begun);
}

// A page that a game has mapped and that waits to be written is written to without any new time.
// Once it is on the disk, the next write to it leaves one.
Result<void> settle_mapped_pages(const GscDir& gsc) {
  const UniqueFd folder(::open(gsc.game().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder || ::syncfs(folder.get()) != 0)
    return fail_errno("sync the file system of " + gsc.game().string(), errno);
  return {};
}

Result<std::string> look(Context& context, Job& job, const BackupCommand& command) {
  const GscDir gsc = context.gsc(command.launch.environment, command.sgc_id);
  std::string found;
  for (int tried = 0; tried < kLooks && found.empty(); tried++) {
    if (tried > 0 && !sleep_unless(kSettled + std::chrono::milliseconds(20), job.cancelled()))
      return fail(Code::kCancelled, "cancelled");
    found = TRY(look_once(gsc, job, command));
  }
  if (!found.empty() && context.sessions.running_in(command.sgc_id)) TRY(settle_mapped_pages(gsc));
  return found;
}

}  // namespace

std::string fingerprint_of(Context& context, Job& job, const BackupCommand& command) {
  const auto found = look(context, job, command);
  if (found) return *found;
  log_warn(job.about, "no fingerprint: {}", found.error().message);
  return "";
}

}  // namespace manman::host
