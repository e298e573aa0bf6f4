#include "db/sqlite/sqlite_engine.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <thread>

#include "base/file.h"
#include "base/retry.h"
#include "db/soci.h"
// After it:
#include <soci/sqlite3/soci-sqlite3.h>

namespace manman::db {
namespace {

constexpr int kBusySeconds = 5;

sqlite_api::sqlite3* handle_of(soci::session& sql) {
  return static_cast<soci::sqlite3_session_backend*>(sql.get_backend())->conn_;
}

// SOCI takes the path inside a connection string with these as its marks.
Result<void> check_path(const std::string& path) {
  if (path.find_first_of(std::string("\"\n\0", 3)) == std::string::npos) return {};
  return fail(Code::kInvalidArgument,
              "database: its path must not have a quotation mark, line break or NUL");
}

// Makes the file where there is none. An existing one is not opened here: to close it would drop
// the locks that this process holds on it (POSIX).
Result<void> make_file(const std::filesystem::path& path, const std::string& name) {
  const UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (fd) return fsync_dir(path.parent_path());
  const int open_errno = errno;
  if (open_errno != EEXIST) {
    Error error = errno_error(name, open_errno);
    if (error.code == Code::kNotFound) error.code = Code::kInvalidArgument;
    return std::unexpected(std::move(error).with_hint("its folder must exist and be writable"));
  }
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored)) {
    return fail(Code::kInvalidArgument, name + ": is not a file");
  }
  if (::access(path.c_str(), R_OK | W_OK) != 0) return fail_errno(name, errno);
  return {};
}

}  // namespace

Result<std::unique_ptr<SqliteEngine>> SqliteEngine::open(const std::filesystem::path& path) {
  TRY(check_path(path.string()));
  std::error_code failed;
  const auto absolute = std::filesystem::absolute(path, failed);
  if (path.empty() || failed) return fail(Code::kInvalidArgument, "database: it has no path");
  auto engine = std::make_unique<SqliteEngine>(absolute);
  TRY(make_file(engine->path_, engine->name_));
  return engine;
}

Result<std::unique_ptr<soci::session>> SqliteEngine::connect() const {
  const std::string settings = "dbname=\"" + path_.string() +
                               "\" timeout=" + std::to_string(kBusySeconds) + " synchronous=full";
  // Nobody waits for the change to WAL by himself: two processes that open a new file at once
  // may meet in it.
  for (int tried = 0;; tried++) {
    try {
      auto sql = std::make_unique<soci::session>(soci::sqlite3, settings);
      set_up(*sql);
      return sql;
    } catch (const soci::sqlite3_soci_error& error) {
      Failure failure = explain(error.result(), 0, error.get_error_message());
      if (!failure.conflict || tried >= 20) return std::unexpected(std::move(failure.error));
    } catch (const soci::soci_error& error) {
      return fail(Code::kInternal, name_ + ": " + error.get_error_message());
    }
    std::this_thread::sleep_for(Backoff{}.wait_before_retry(tried));
  }
}

void SqliteEngine::set_up(soci::session& sql) const {
  sqlite_api::sqlite3_extended_result_codes(handle_of(sql), 1);
  std::string mode;
  sql << "PRAGMA journal_mode = WAL", soci::into(mode);
  if (mode != "wal") throw soci::soci_error("its file system can't carry SQLite's WAL");
  int on = 0;
  sql << "PRAGMA foreign_keys = ON";
  sql << "PRAGMA foreign_keys", soci::into(on);
  if (on != 1) throw soci::soci_error("SQLite was built without foreign keys");
  sql << "PRAGMA synchronous = FULL";
  // A WAL that grew in a rush is cut back to this afterwards.
  sql << "PRAGMA journal_size_limit = 67108864";
}

// It runs one at a time.
void SqliteEngine::begin(soci::session& sql, Isolation) const {
  sql << "BEGIN IMMEDIATE";
}

// Nobody else inserts before this transaction ends.
int64_t SqliteEngine::next_id(soci::session& sql, const std::string& table,
                              const std::string&) const {
  int64_t next = 0;
  sql << "SELECT COALESCE(MAX(seq), 0) + 1 FROM sqlite_sequence WHERE name = :table_name",
      soci::use(table, "table_name"), soci::into(next);
  return next;
}

void SqliteEngine::pass_ids(soci::session& sql, const std::string& table, const std::string&,
                            int64_t last) const {
  sql << "INSERT INTO sqlite_sequence (name, seq) SELECT :table_name, 0 "
         "WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = :again)",
      soci::use(table, "table_name"), soci::use(table, "again");
  sql << "UPDATE sqlite_sequence SET seq = MAX(seq, :last_id) WHERE name = :table_name",
      soci::use(last, "last_id"), soci::use(table, "table_name");
}

bool SqliteEngine::in_transaction(soci::session& sql) const {
  return sqlite_api::sqlite3_get_autocommit(handle_of(sql)) == 0;
}

bool SqliteEngine::has_table(soci::session& sql, const std::string& table) const {
  int count = 0;
  sql << "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = :name",
      soci::use(table, "name"), soci::into(count);
  return count > 0;
}

// BEGIN IMMEDIATE has taken the only write lock that there is.
void SqliteEngine::lock_schema(soci::session&) const {}

Result<void> SqliteEngine::ping(soci::session& sql) const {
  std::error_code ignored;
  if (!std::filesystem::exists(path_, ignored)) {
    return fail(Code::kUnavailable, name_ + ": the file is gone");
  }
  int count = 0;
  sql << "SELECT COUNT(*) FROM sqlite_master", soci::into(count);
  return {};
}

std::string SqliteEngine::translate(std::string statement) const {
  const auto put = [&](std::string_view theirs, std::string_view ours) {
    for (size_t at = 0; (at = statement.find(theirs, at)) != std::string::npos;) {
      statement.replace(at, theirs.size(), ours);
      at += ours.size();
    }
  };
  // AUTOINCREMENT: an id is never given twice, also not after its row is gone.
  put("BIGSERIAL PRIMARY KEY", "INTEGER PRIMARY KEY AUTOINCREMENT");
  put(" COLLATE \"C\"", "");  // as it compares anyway
  return statement;
}

Failure SqliteEngine::explain(const soci::soci_error& error, soci::session& sql) const {
  const auto* sqlite_error = dynamic_cast<const soci::sqlite3_soci_error*>(&error);
  if (sqlite_error == nullptr) {
    return {Error{Code::kInternal, name_ + ": " + error.get_error_message()}};
  }
  return explain(sqlite_error->result(), sqlite_api::sqlite3_system_errno(handle_of(sql)),
                 error.get_error_message());
}

Failure SqliteEngine::explain(int result, int system_errno, const std::string& message) const {
  const auto because = [&](Code code, std::string_view why) {
    return Error{code, name_ + ": " + std::string(why), code == Code::kUnavailable};
  };
  switch (result & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {because(Code::kUnavailable, "another process keeps it locked"), true};
    case SQLITE_FULL:
      return {because(Code::kResourceExhausted, "the disk is full")};
    case SQLITE_IOERR:
      if (system_errno == ENOSPC || system_errno == EDQUOT) {
        return {because(Code::kResourceExhausted, "the disk is full")};
      }
      return {because(Code::kInternal, message)};
    case SQLITE_NOMEM:
      return {because(Code::kResourceExhausted, "out of memory")};
    case SQLITE_TOOBIG:
      return {because(Code::kInvalidArgument, "a value is too large")};
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return {because(Code::kDataLoss, message)};
    case SQLITE_READONLY:
    case SQLITE_PERM:
      return {because(Code::kPermissionDenied, message)};
    case SQLITE_CANTOPEN:
      return {because(Code::kUnavailable, message)};
    case SQLITE_CONSTRAINT:
      // The repositories look for a name that is taken before they write; if one comes up all the
      // same, another transaction was quicker.
      if (result == SQLITE_CONSTRAINT_UNIQUE) return {because(Code::kAborted, message), true};
      return {because(Code::kFailedPrecondition, message)};
    default:
      return {because(Code::kInternal, message)};
  }
}

}  // namespace manman::db
