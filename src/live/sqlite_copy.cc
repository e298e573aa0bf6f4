#include "live/sqlite_copy.h"

#include <dirent.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <thread>

#include "archive/manners.h"
#include "live/fresh.h"
#include "live/sqlite_connection.h"

namespace manman::live {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr std::string_view kHeader("SQLite format 3\0", 16);
constexpr std::array<std::string_view, 3> kSuffixes{"-journal", "-shm", "-wal"};
constexpr const char* kCopyName = "database";
constexpr int kPagesAtATime = 512;
constexpr int kMaxRestarts = 3;
constexpr milliseconds kMaxRestarting{2000};
constexpr milliseconds kRetryAfter{2};
// How much larger than what it is made from a copy may be: a writer goes on meanwhile.
constexpr uint64_t kSlack = uint64_t{256} << 20;

int run(const Connection& db, const char* sql) {
  return ::sqlite3_exec(db.get(), sql, nullptr, nullptr, nullptr);
}

// Begins a transaction that sees one committed state, and holds it. Needs no schema.
int begin_reading(const Connection& db) {
  const int code = run(db, "BEGIN; PRAGMA schema_version;");
  if (code != SQLITE_OK) (void)run(db, "ROLLBACK");
  return code;
}

enum class Outcome {
  kDone,
  kLater,    // locked, or it changed meanwhile
  kRecover,  // it can't be read without writing: nobody has it open
  kNoDatabase,
};

Result<Outcome> outcome_of(int code, const std::string& shown) {
  switch (code & 0xff) {
    case SQLITE_OK:
    case SQLITE_DONE:
      return Outcome::kDone;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
      return Outcome::kLater;
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
      return Outcome::kRecover;
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
      return Outcome::kNoDatabase;
    case SQLITE_FULL:
      return fail(Code::kResourceExhausted, "copying " + shown + ": no space left in the scratch");
    default:
      return fail(Code::kInternal, "copying " + shown + ": SQLite says " + ::sqlite3_errstr(code) +
                                       " (" + std::to_string(code) + ")");
  }
}

// How many descriptors of this process lead to the file.
int open_descriptors(const struct stat& of) {
  const std::unique_ptr<DIR, int (*)(DIR*)> list(::opendir("/proc/self/fd"), ::closedir);
  if (!list) return 0;
  int count = 0;
  while (const dirent* entry = ::readdir(list.get())) {
    struct stat info{};
    if (entry->d_name[0] == '.' || ::fstat(std::atoi(entry->d_name), &info) != 0) continue;
    if (info.st_dev == of.st_dev && info.st_ino == of.st_ino) count++;
  }
  return count;
}

class Copier {
 public:
  Copier(const Database& database, const Scratch& scratch, const CopyLimits& limits)
      : database_(database), scratch_(scratch), limits_(limits) {}
  ~Copier() { clear_scratch(); }

  Result<std::optional<DatabaseCopy>> run();

 private:
  // A file beside the database as it was found; none: it is not there.
  struct Companion {
    std::string_view suffix;
    std::optional<struct stat> info;
  };

  Result<Outcome> attempt();
  Result<Outcome> copy_in_use();
  Result<Outcome> copy_snapshot(const Connection& source);
  Result<Outcome> copy_in_steps(const Connection& source);
  // `max_size`: what is larger than all that it is read from is no database, but a trap.
  Result<Outcome> step_through(const Connection& source, const Connection& target, bool holding,
                               uint64_t max_size);
  uint64_t page_size() const;
  Result<Outcome> copy_under_lock(bool by_clone);
  Result<Outcome> copy_unused();
  Result<Outcome> recover(uint64_t max_size);
  Result<void> copy_companion(const Companion& companion) const;
  std::vector<Companion> look_around(bool& fresh) const;

  Result<UniqueFd> make_copy_file(const std::string& name) const;
  Result<std::pair<Connection, int>> open_target(int flags) const;
  void clear_scratch() const;
  bool stopped() const { return limits_.stop && limits_.stop(); }
  void note_blocked(Clock::time_point since) {
    const auto held = std::chrono::ceil<milliseconds>(Clock::now() - since);
    blocked_ms_ = std::max(blocked_ms_, static_cast<uint64_t>(held.count()));
  }
  uint64_t size_of_source() const;

  const Database& database_;
  const Scratch& scratch_;
  const CopyLimits& limits_;
  uint64_t blocked_ms_ = 0;
  bool steps_given_up_ = false;
};

Result<std::optional<DatabaseCopy>> Copier::run() {
  Clock::duration waited{};
  for (;;) {
    const auto begun = Clock::now();
    if (stopped()) return fail(Code::kCancelled, "cancelled");
    clear_scratch();
    switch (TRY(attempt())) {
      case Outcome::kDone: {
        UniqueFd file(::openat(scratch_.folder(), kCopyName, O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
        if (!file) return fail_errno("open the copy of " + database_.shown, errno);
        if (!limits_.keep_as.empty() && ::renameat(scratch_.folder(), kCopyName, scratch_.folder(),
                                                   limits_.keep_as.c_str()) != 0)
          return fail_errno("name the copy of " + database_.shown, errno);
        return DatabaseCopy{.file = std::move(file), .blocked_ms = blocked_ms_};
      }
      case Outcome::kLater:
        break;
      case Outcome::kRecover:
      case Outcome::kNoDatabase:
        return std::nullopt;
    }
    std::this_thread::sleep_for(kRetryAfter);
    waited += Clock::now() - begun;
    if (waited < limits_.deadline) continue;
    return std::unexpected(Error{Code::kDeadlineExceeded,
                                 database_.shown + " was locked, or changed all the time, for " +
                                     std::to_string(limits_.deadline.count()) +
                                     " ms: no copy of it could be made",
                                 true}
                               .with_hint("stop the game, or leave the file out"));
  }
}

Result<Outcome> Copier::attempt() {
  const Outcome outcome = TRY(copy_in_use());
  return outcome == Outcome::kRecover ? copy_unused() : outcome;
}

uint64_t Copier::size_of_source() const {
  struct stat info{};
  return ::fstat(database_.fd, &info) == 0 ? static_cast<uint64_t>(info.st_size) : 0;
}

uint64_t Copier::page_size() const {
  std::array<unsigned char, 2> bytes{};
  if (::pread(database_.fd, bytes.data(), bytes.size(), 16) != 2) return 65536;
  const uint64_t size = bytes[0] * 256U + bytes[1];
  return size == 1 ? 65536 : size;
}

// As a reader beside the writers, by SQLite's locks.
Result<Outcome> Copier::copy_in_use() {
  // Any other descriptor of the file that were closed meanwhile would take the locks away
  // (sqlite.org/howtocorrupt.html, 2.2). The caller's stays open.
  if (open_descriptors(database_.info) != 1) return Outcome::kNoDatabase;
  const HandsOff hands_off;
  const auto [source, code] = connect(uri_of(database_.folder, database_.name, "?readonly_shm=1"),
                                      SQLITE_OPEN_READONLY, kReadingVfs);
  if (!source) return outcome_of(code, database_.shown);
  // SQLite's is a second one, or it found another file under the name.
  if (open_descriptors(database_.info) != 2) return Outcome::kLater;
  (void)::manman::live::run(source, "PRAGMA cache_size=-256");
  auto since = Clock::now();
  const Outcome begun = TRY(outcome_of(begin_reading(source), database_.shown));
  if (begun != Outcome::kDone) return begun;
  unsigned char version = 0;
  if (::pread(database_.fd, &version, 1, 18) != 1) return Outcome::kNoDatabase;
  if (version == 2) return copy_snapshot(source);  // a WAL: readers don't hold up writers
  const Outcome cloned = TRY(copy_under_lock(true));
  (void)::manman::live::run(source, "ROLLBACK");
  note_blocked(since);
  if (cloned == Outcome::kDone) return cloned;
  if (!steps_given_up_) return copy_in_steps(source);
  TRY(scratch_.check_room(size_of_source(), database_.shown));
  since = Clock::now();
  const Outcome again = TRY(outcome_of(begin_reading(source), database_.shown));
  if (again != Outcome::kDone) return again;
  const Outcome copied = TRY(copy_under_lock(false));
  (void)::manman::live::run(source, "ROLLBACK");
  note_blocked(since);
  return copied;
}

Result<Outcome> Copier::copy_snapshot(const Connection& source) {
  struct stat wal{};
  const bool has_wal = ::fstatat(database_.folder, (database_.name + "-wal").c_str(), &wal,
                                 AT_SYMLINK_NOFOLLOW) == 0;
  const uint64_t size = size_of_source() + (has_wal ? static_cast<uint64_t>(wal.st_size) : 0);
  TRY(scratch_.check_room(size, database_.shown));
  const auto [target, code] = TRY(open_target(SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE));
  if (!target) return outcome_of(code, "into the scratch: " + database_.shown);
  return step_through(source, target, true, size + kSlack);
}

// The lock is held for one step at a time. A writer in between makes SQLite begin again.
Result<Outcome> Copier::copy_in_steps(const Connection& source) {
  TRY(scratch_.check_room(size_of_source(), database_.shown));
  clear_scratch();
  const auto [target, code] = TRY(open_target(SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE));
  if (!target) return outcome_of(code, "into the scratch: " + database_.shown);
  return step_through(source, target, false, size_of_source() + kSlack);
}

Result<Outcome> Copier::step_through(const Connection& source, const Connection& target,
                                     bool holding, uint64_t max_size) {
  struct Finish {
    void operator()(sqlite3_backup* backup) const { ::sqlite3_backup_finish(backup); }
  };
  const std::unique_ptr<sqlite3_backup, Finish> backup(
      ::sqlite3_backup_init(target.get(), "main", source.get(), "main"));
  if (!backup) return outcome_of(::sqlite3_errcode(target.get()), database_.shown);
  const auto begun = Clock::now();
  int restarts = 0;
  int left = 0;
  Clock::duration busy{};
  for (;;) {
    if (stopped()) return fail(Code::kCancelled, "cancelled");
    const auto since = Clock::now();
    const int code = ::sqlite3_backup_step(backup.get(), kPagesAtATime);
    if (!holding) note_blocked(since);
    if (code == SQLITE_BUSY || code == SQLITE_LOCKED) {
      std::this_thread::sleep_for(kRetryAfter);
      busy += Clock::now() - since;
      if (busy > limits_.deadline) return Outcome::kLater;
      continue;
    }
    if (code != SQLITE_OK) return outcome_of(code, database_.shown);
    if (static_cast<uint64_t>(::sqlite3_backup_pagecount(backup.get())) * page_size() > max_size)
      return holding ? Outcome::kNoDatabase : Outcome::kLater;
    const int now_left = ::sqlite3_backup_remaining(backup.get());
    if (left > 0 && now_left > left - kPagesAtATime) restarts++;
    left = now_left;
    if (restarts > kMaxRestarts || (restarts > 0 && Clock::now() - begun > kMaxRestarting)) {
      steps_given_up_ = true;
      return Outcome::kLater;
    }
  }
}

// With a rollback journal the file itself is the committed state while a reader holds its lock:
// writers change it only once all readers are gone, and a journal that must be rolled back first
// has been looked for (sqlite.org/lockingv3.html).
Result<Outcome> Copier::copy_under_lock(bool by_clone) {
  const UniqueFd to = TRY(make_copy_file(kCopyName));
  if (by_clone) return clone_file(database_.fd, to.get()) ? Outcome::kDone : Outcome::kLater;
  TRY(copy_bytes(database_.fd, to.get(), size_of_source(), limits_.stop, database_.shown));
  return Outcome::kDone;
}

std::vector<Copier::Companion> Copier::look_around(bool& fresh) const {
  std::vector<Companion> found;
  struct stat info{};
  if (::fstat(database_.fd, &info) == 0) found.push_back({"", info});
  for (const std::string_view suffix : kSuffixes) {
    const std::string name = database_.name + std::string(suffix);
    const bool there = ::fstatat(database_.folder, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0;
    found.push_back({suffix, there ? std::optional(info) : std::nullopt});
  }
  fresh = std::ranges::any_of(found,
                              [](const Companion& one) { return one.info && is_fresh(*one.info); });
  return found;
}

// Nobody has it open, and what a crash left of a transaction, or of a WAL, stands beside it: all is
// copied as it is, and SQLite puts it right in the copy. Somebody who opens it meanwhile changes a
// file, or makes one.
Result<Outcome> Copier::copy_unused() {
  bool fresh = false;
  const std::vector<Companion> before = look_around(fresh);
  if (fresh) return Outcome::kLater;
  uint64_t size = 0;
  for (const Companion& one : before)
    if (one.info && one.suffix != "-shm") size += static_cast<uint64_t>(one.info->st_size);
  {
    const UniqueFd to = TRY(make_copy_file(kCopyName));
    if (!clone_file(database_.fd, to.get())) {
      TRY(scratch_.check_room(size, database_.shown));
      TRY(copy_bytes(database_.fd, to.get(), size_of_source(), limits_.stop, database_.shown));
    }
  }
  for (const Companion& one : before)
    if (one.info && !one.suffix.empty() && one.suffix != "-shm") TRY(copy_companion(one));
  const std::vector<Companion> after = look_around(fresh);
  for (size_t i = 0; i < before.size(); i++) {
    if (before[i].info.has_value() != after[i].info.has_value()) return Outcome::kLater;
    if (before[i].info && (before[i].info->st_ino != after[i].info->st_ino ||
                           archive::has_changed(*before[i].info, *after[i].info)))
      return Outcome::kLater;
  }
  return recover(size + kSlack);
}

Result<void> Copier::copy_companion(const Companion& companion) const {
  const std::string name = database_.name + std::string(companion.suffix);
  const UniqueFd from(::openat(database_.folder, name.c_str(),
                               O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  // Gone, or something else by now: the second look sees that.
  if (!from || !S_ISREG(companion.info->st_mode)) return {};
  const UniqueFd to = TRY(make_copy_file(kCopyName + std::string(companion.suffix)));
  if (clone_file(from.get(), to.get())) return {};
  return copy_bytes(from.get(), to.get(), static_cast<uint64_t>(companion.info->st_size),
                    limits_.stop, database_.shown + std::string(companion.suffix));
}

Result<Outcome> Copier::recover(uint64_t max_size) {
  const auto [copy, code] = TRY(open_target(SQLITE_OPEN_READWRITE));
  if (!copy) return outcome_of(code, database_.shown);
  int result = begin_reading(copy);
  if (result == SQLITE_OK) result = ::manman::live::run(copy, "ROLLBACK");
  if (result == SQLITE_OK)
    result = ::sqlite3_wal_checkpoint_v2(copy.get(), "main", SQLITE_CHECKPOINT_TRUNCATE, nullptr,
                                         nullptr);
  const Outcome outcome = TRY(outcome_of(result, database_.shown));
  struct stat made{};
  if (::fstatat(scratch_.folder(), kCopyName, &made, AT_SYMLINK_NOFOLLOW) != 0)
    return fail_errno("look at the copy of " + database_.shown, errno);
  // In a scratch of our own there is nothing to wait for.
  return outcome == Outcome::kDone && static_cast<uint64_t>(made.st_size) <= max_size
             ? outcome
             : Outcome::kNoDatabase;
}

Result<UniqueFd> Copier::make_copy_file(const std::string& name) const {
  UniqueFd file(::openat(scratch_.folder(), name.c_str(),
                         O_CREAT | O_TRUNC | O_RDWR | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file) return fail_errno("create a copy of " + database_.shown, errno);
  return file;
}

// No other process knows of it, and after a crash it is of no use: no journal, no sync, no -shm.
Result<std::pair<Connection, int>> Copier::open_target(int flags) const {
  auto [db, code] = connect(uri_of(scratch_.folder(), kCopyName, ""), flags, kCopyVfs);
  if (db) {
    (void)::manman::live::run(db,
                              "PRAGMA cache_size=-1024; PRAGMA synchronous=OFF;"
                              "PRAGMA locking_mode=EXCLUSIVE;");
    if ((flags & SQLITE_OPEN_CREATE) != 0) (void)::manman::live::run(db, "PRAGMA journal_mode=OFF");
  }
  return std::pair(std::move(db), code);
}

void Copier::clear_scratch() const {
  ::unlinkat(scratch_.folder(), kCopyName, 0);
  for (const std::string_view suffix : kSuffixes)
    ::unlinkat(scratch_.folder(), (kCopyName + std::string(suffix)).c_str(), 0);
}

}  // namespace

bool looks_like_sqlite(int fd) {
  std::array<char, kHeader.size()> first{};
  return ::pread(fd, first.data(), first.size(), 0) == static_cast<ssize_t>(first.size()) &&
         std::string_view(first.data(), first.size()) == kHeader;
}

std::string_view companion_suffix(std::string_view name) {
  for (const std::string_view suffix : kSuffixes)
    if (name.ends_with(suffix)) return suffix;
  return {};
}

Result<std::optional<DatabaseCopy>> copy_database(const Database& database, const Scratch& scratch,
                                                  const CopyLimits& limits) {
  return Copier(database, scratch, limits).run();
}

}  // namespace manman::live
