#include "live/live_files.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <thread>
#include <utility>

#include "archive/manners.h"
#include "archive/path.h"
#include "live/fresh.h"
#include "live/sqlite_copy.h"

namespace manman::live {
namespace {

constexpr int kTries = 3;

std::string_view folder_of(std::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
}

// Whether a walk that has come to `path` is past all companions of a database.
bool is_past(std::string_view path, std::string_view database) {
  const std::string_view folder = folder_of(database);
  if (!archive::is_at_or_below(path, folder)) return true;
  const size_t below = folder.empty() ? 0 : folder.size() + 1;
  const std::string_view name = path.substr(std::min(below, path.size()));
  return name.substr(0, name.find('/')) > std::string(database.substr(below)) + "-wal";
}

}  // namespace

Result<std::unique_ptr<LiveFiles>> LiveFiles::create(LiveOptions options) {
  archive::TargetTree tree = TRY(archive::TargetTree::open(options.dir.string()));
  std::unique_ptr<Scratch> scratch = TRY(Scratch::make(options.scratch));
  return std::unique_ptr<LiveFiles>(
      new LiveFiles(std::move(options), std::move(tree), std::move(scratch)));
}

std::string LiveFiles::shown(const std::string& path) const {
  return (options_.dir / path).string();
}

const LiveFiles::Taken* LiveFiles::database_of(std::string_view path) const {
  const std::string_view suffix = companion_suffix(path);
  if (suffix.empty()) return nullptr;
  const auto found =
      std::ranges::find(taken_, path.substr(0, path.size() - suffix.size()), &Taken::path);
  return found == taken_.end() ? nullptr : &*found;
}

Result<archive::FileTaking> LiveFiles::choose(const archive::FileSeen& file) {
  std::erase_if(taken_, [&](const Taken& one) { return is_past(file.path, one.path); });
  const bool live = is_live();
  if (const Taken* database = database_of(file.path)) {
    if (database->copied) return archive::FileTaking{.leave_out = true};
    if (live) unsteady_.add(file.path);
  }
  if (file.is_known) return archive::FileTaking{};
  if (looks_like_sqlite(file.fd)) {
    if (live) {
      if (auto copied = TRY(copy_database_of(file))) return std::move(*copied);
    } else {
      taken_.push_back({.path = file.path});
    }
  }
  if (!live || !is_in_use(file)) return archive::FileTaking{};
  return copy_first(file);
}

Result<std::optional<archive::FileTaking>> LiveFiles::copy_database_of(
    const archive::FileSeen& file) {
  const auto place = tree_.locate(file.path, false);
  std::optional<DatabaseCopy> copy;
  if (place)
    copy = TRY(copy_database({.folder = place->folder(),
                              .name = place->name,
                              .fd = file.fd,
                              .info = file.info,
                              .shown = shown(file.path)},
                             *scratch_,
                             {.deadline = options_.sqlite_deadline, .stop = options_.stop}));
  if (!copy) {
    unreadable_.add(file.path);
    return std::nullopt;
  }
  taken_.push_back({.path = file.path, .copied = true});
  databases_.add(file.path);
  blocked_ms_ = std::max(blocked_ms_, copy->blocked_ms);
  return archive::FileTaking{.instead = std::move(copy->file), .at_once = true};
}

bool LiveFiles::is_in_use(const archive::FileSeen& file) const {
  if (file.info.st_size == 0 ||
      static_cast<uint64_t>(file.info.st_size) > options_.max_copied_bytes)
    return false;
  return file.info.st_ctim.tv_sec >= begun_.tv_sec - options_.recent.count();
}

// None: the scratch has no room, and the file is read where it stands.
Result<std::optional<UniqueFd>> LiveFiles::copy_once(const archive::FileSeen& file, bool& steady) {
  struct stat before{};
  if (::fstat(file.fd, &before) != 0) return fail_errno("stat " + shown(file.path), errno);
  if (is_fresh(before)) {
    std::this_thread::sleep_for(kTick);
    if (::fstat(file.fd, &before) != 0) return fail_errno("stat " + shown(file.path), errno);
  }
  UniqueFd copy = TRY(scratch_->nameless_file());
  if (!clone_file(file.fd, copy.get())) {
    const auto copied = copy_bytes(file.fd, copy.get(), static_cast<uint64_t>(before.st_size),
                                   options_.stop, shown(file.path));
    if (!copied && copied.error().code == Code::kResourceExhausted) return std::nullopt;
    TRY(copied);
  }
  struct stat after{};
  if (::fstat(file.fd, &after) != 0) return fail_errno("stat " + shown(file.path), errno);
  steady = !is_fresh(before) && !archive::has_changed(before, after);
  return copy;
}

Result<archive::FileTaking> LiveFiles::copy_first(const archive::FileSeen& file) {
  UniqueFd last;
  bool steady = false;
  for (int i = 0; i < kTries && !steady; i++) {
    last.reset();  // its room, for the next
    std::optional<UniqueFd> copy = TRY(copy_once(file, steady));
    if (!copy) return archive::FileTaking{};
    last = std::move(*copy);
  }
  copied_first_++;
  if (!steady) unsteady_.add(file.path);
  return archive::FileTaking{.instead = std::move(last)};
}

LiveEvidence LiveFiles::evidence() {
  LiveEvidence evidence{.blocked_ms = blocked_ms_, .copied_first = copied_first_};
  databases_.move_to(evidence.databases, evidence.database_count);
  unreadable_.move_to(evidence.unreadable_databases, evidence.unreadable_database_count);
  unsteady_.move_to(evidence.unsteady, evidence.unsteady_count);
  return evidence;
}

}  // namespace manman::live
