#include "host/journal.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/log.h"
#include "base/time.h"

namespace manman::host {
namespace fs = std::filesystem;
namespace {

constexpr size_t kMaxDone = 1000;

// Held as long as the process lives, whatever ends it.
Result<UniqueFd> lock_folder(const fs::path& dir) {
  const fs::path path = dir / "lock";
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!fd) return fail_errno("open " + path.string(), errno);
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) == 0) return fd;
  if (errno != EWOULDBLOCK) return fail_errno("lock " + path.string(), errno);
  return std::unexpected(Error{Code::kFailedPrecondition,
                               "another host manager works in " + dir.parent_path().string()}
                             .with_hint("stop it, or give this one a data folder of its own"));
}

Result<std::vector<fs::path>> list_folder(const fs::path& dir) {
  std::vector<fs::path> paths;
  std::error_code error;
  for (fs::directory_iterator it(dir, error), end; !error && it != end; it.increment(error))
    paths.push_back(it->path());
  if (error) return fail(Code::kInternal, "read folder " + dir.string() + ": " + error.message());
  std::ranges::sort(paths);
  return paths;
}

Result<void> remove_file(const fs::path& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT)
    return fail_errno("remove " + path.string(), errno);
  return {};
}

Result<Record> read_record(const fs::path& path) {
  Record record = TRY(Record::parse(TRY(read_file(path))));
  if (record.key.text() + ".json" != path.filename())
    return fail(Code::kDataLoss, "it is the record of " + record.key.text());
  return record;
}

}  // namespace

Result<std::unique_ptr<Journal>> Journal::open(const fs::path& data_dir) {
  const fs::path dir = data_dir / "journal";
  TRY(in("journal", make_dirs(dir / "done")));
  UniqueFd lock = TRY(in("journal", lock_folder(dir)));
  std::unique_ptr<Journal> journal(new Journal(dir, std::move(lock)));
  TRY(in("journal", journal->load()));
  return journal;
}

Result<void> Journal::load() {
  for (const fs::path& path : TRY(list_folder(dir_))) {
    if (path.extension() == ".new") TRY(remove_file(path));
    if (path.extension() == ".json") load_record(path);
  }
  return load_done();
}

void Journal::load_record(const fs::path& path) {
  auto record = read_record(path);
  auto state = state_.lock();
  if (record) {
    state->last_sequence = std::max(state->last_sequence, record->sequence);
    state->records.insert_or_assign(record->key, std::move(*record));
    return;
  }
  const fs::path aside = path.string() + ".bad";
  const bool moved = ::rename(path.c_str(), aside.c_str()) == 0;
  log_error({}, "journal: {}: {}; its job can't go on; the file {} {}", path.string(),
            record.error().message, moved ? "now is" : "could not be renamed to", aside.string());
}

Result<void> Journal::load_done() {
  std::vector<std::pair<fs::file_time_type, std::string>> found;
  for (const fs::path& path : TRY(list_folder(done_dir()))) {
    std::error_code ignored;  // one that can't be asked counts as oldest
    if (path.extension() == ".json")
      found.emplace_back(fs::last_write_time(path, ignored), path.filename().string());
  }
  std::ranges::sort(found);
  auto state = state_.lock();
  for (auto& [time, name] : found) state->done.push_back(std::move(name));
  forget_oldest(*state);
  return {};
}

Result<void> Journal::add(Record record) {
  auto state = state_.lock();
  if (state->records.contains(record.key))
    return fail(Code::kAlreadyExists, "journal: " + record.key.text() + " is there already");
  record.sequence = state->last_sequence + 1;
  TRY(in("journal", write_file_durably(path_of(record.key), record.to_json())));
  state->last_sequence = record.sequence;
  const JobKey key = record.key;
  state->records.insert_or_assign(key, std::move(record));
  return {};
}

Result<Record> Journal::update(const JobKey& key, const std::function<void(Record&)>& change) {
  auto state = state_.lock();
  const auto found = state->records.find(key);
  if (found == state->records.end()) return fail(Code::kNotFound, "journal: no job " + key.text());
  Record changed = found->second;
  change(changed);
  TRY(in("journal", write_file_durably(path_of(key), changed.to_json())));
  found->second = changed;
  return changed;
}

Result<void> Journal::finish(const JobKey& key) {
  auto state = state_.lock();
  const auto found = state->records.find(key);
  if (found == state->records.end()) return {};
  const fs::path path = path_of(key);
  if (!found->second.remember) {
    TRY(in("journal", remove_file(path)));
    state->records.erase(found);
    return {};
  }
  // Neither folder is synced: should a crash bring the record back, its report goes out once more.
  const std::string name = path.filename().string();
  if (::rename(path.c_str(), (done_dir() / name).c_str()) != 0)
    return fail_errno("journal: move " + path.string() + " to done/", errno);
  std::erase(state->done, name);
  state->done.push_back(name);
  state->records.erase(found);
  forget_oldest(*state);
  return {};
}

void Journal::forget_oldest(State& state) {
  while (state.done.size() > kMaxDone) {
    if (auto removed = remove_file(done_dir() / state.done.front()); !removed)
      log_warn({}, "journal: {}", removed.error().message);
    state.done.pop_front();
  }
}

std::optional<Record> Journal::find(const JobKey& key) {
  auto state = state_.lock();
  const auto found = state->records.find(key);
  if (found == state->records.end()) return std::nullopt;
  return found->second;
}

std::optional<Record> Journal::find_done(const JobKey& key) {
  auto state = state_.lock();
  const std::string name = key.text() + ".json";
  if (std::ranges::find(state->done, name) == state->done.end()) return std::nullopt;
  auto record = read_record(done_dir() / name);
  if (record) return std::move(*record);
  log_error({}, "journal: {}: {}; taken as not there", (done_dir() / name).string(),
            record.error().message);
  return std::nullopt;
}

std::vector<Record> Journal::unfinished() {
  std::vector<Record> records;
  auto state = state_.lock();
  for (const auto& [key, record] : state->records) records.push_back(record);
  std::ranges::sort(records, {}, &Record::sequence);
  return records;
}

void Journal::note_alive() {
  if (::futimens(lock_.get(), nullptr) != 0)
    log_warn({}, "journal: {}", errno_error("set the time of the lock", errno).message);
}

std::chrono::milliseconds Journal::silent_for() const {
  struct stat info{};
  if (::fstat(lock_.get(), &info) != 0) return std::chrono::milliseconds(0);
  const int64_t noted_ms = info.st_mtim.tv_sec * 1000 + info.st_mtim.tv_nsec / 1000000;
  return std::chrono::milliseconds(std::max<int64_t>(0, system_clock().now_ms() - noted_ms));
}

}  // namespace manman::host
