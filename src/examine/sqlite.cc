#include "examine/sqlite.h"

#include <fcntl.h>
#include <sqlite3.h>

#include <chrono>
#include <memory>
#include <optional>
#include <vector>

#include "live/sqlite_connection.h"
#include "live/sqlite_copy.h"

namespace manman::examine {
namespace {

using Clock = std::chrono::steady_clock;

// A hostile file could make SQLite go round for long.
constexpr std::chrono::seconds kLeastTime{60};
constexpr uint64_t kLeastBytesPerSecond = uint64_t{1} << 20;
constexpr int kStepsBetweenLooks = 10'000;
constexpr int kMaxTextBytes = 64 << 20;  // of one value
constexpr int kCacheKib = 8 << 10;

constexpr const char* kCopyName = "examined";
// Nobody else has it open: SQLite locks nothing, and looks for nothing beside it.
constexpr const char* kAlone = "?immutable=1";

struct Finalize {
  void operator()(sqlite3_stmt* statement) const { ::sqlite3_finalize(statement); }
};
using Statement = std::unique_ptr<sqlite3_stmt, Finalize>;

// The check of one file, alone in the world.
class Check {
 public:
  Check(std::string uri, uint64_t size, const Progress* progress, Findings& findings)
      : uri_(std::move(uri)),
        progress_(progress),
        findings_(findings),
        until_(Clock::now() + kLeastTime + std::chrono::seconds(size / kLeastBytesPerSecond)) {}

  Result<void> run();

 private:
  static int look(void* self) { return static_cast<Check*>(self)->must_end() ? 1 : 0; }
  bool must_end() const {
    return (progress_ != nullptr && progress_->cancel.load()) || Clock::now() > until_;
  }
  // Gives each row's statement to `row`, which says whether to go on. SQLite's code, SQLITE_DONE
  // when all were there.
  template <typename Row>
  int rows_of(const char* sql, Row&& row);
  // What a code that is not SQLITE_DONE means for the file.
  Result<void> outcome(int code);
  bool walk_pages(int& code);

  const std::string uri_;
  const Progress* const progress_;
  Findings& findings_;
  const Clock::time_point until_;
  live::Connection db_;
};

template <typename Row>
int Check::rows_of(const char* sql, Row&& row) {
  sqlite3_stmt* raw = nullptr;
  if (const int code = ::sqlite3_prepare_v2(db_.get(), sql, -1, &raw, nullptr); code != SQLITE_OK)
    return code;
  const Statement statement(raw);
  for (;;) {
    const int code = ::sqlite3_step(raw);
    if (code != SQLITE_ROW) return code;
    if (!row(raw)) return SQLITE_DONE;
  }
}

Result<void> Check::outcome(int code) {
  switch (code & 0xff) {
    case SQLITE_OK:
    case SQLITE_DONE:
      return {};
    case SQLITE_INTERRUPT:
      if (progress_ != nullptr) TRY(progress_->check());
      findings_.unexamined("", "takes SQLite too long to check");
      return {};
    case SQLITE_TOOBIG:
    case SQLITE_NOMEM:
      findings_.unexamined("", "holds a value too large to be examined");
      return {};
    case SQLITE_IOERR:
      // Of a file that ends early it is the file's own fault.
      if (code != SQLITE_IOERR_SHORT_READ)
        return fail(Code::kInternal, "reading " + findings_.path() + ": SQLite says " +
                                         ::sqlite3_errstr(code) + " (" + std::to_string(code) +
                                         ")");
      [[fallthrough]];
    default:
      findings_.problem("", std::string("SQLite says: ") +
                                (db_ ? ::sqlite3_errmsg(db_.get()) : ::sqlite3_errstr(code)));
      return {};
  }
}

// No tree of pages may be deeper than SQLite itself takes it, or lead to a page twice: its check of
// them goes down by recursion. dbstat goes down step by step, one row a page.
bool Check::walk_pages(int& code) {
  int64_t pages = 0;
  code = rows_of("PRAGMA page_count", [&](sqlite3_stmt* row) {
    pages = ::sqlite3_column_int64(row, 0);
    return true;
  });
  if (code != SQLITE_DONE) return false;
  int64_t seen = 0;
  code = rows_of("SELECT pageno FROM dbstat", [&](sqlite3_stmt*) { return ++seen <= pages; });
  if (code != SQLITE_DONE) return false;
  if (seen > pages) findings_.problem("", "a page of it belongs to two places");
  return seen <= pages;
}

Result<void> Check::run() {
  auto [db, opened] = live::connect(uri_, SQLITE_OPEN_READONLY, live::kReadingVfs);
  db_ = std::move(db);
  if (!db_) return outcome(opened);
  ::sqlite3_limit(db_.get(), SQLITE_LIMIT_LENGTH, kMaxTextBytes);
  ::sqlite3_progress_handler(db_.get(), kStepsBetweenLooks, look, this);
  const std::string settings = "PRAGMA cache_size=-" + std::to_string(kCacheKib) +
                               "; PRAGMA temp_store=MEMORY; PRAGMA ignore_check_constraints=ON";
  int code = ::sqlite3_exec(db_.get(), settings.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return outcome(code);
  if (!walk_pages(code)) return outcome(code);
  bool fine = false;
  code = rows_of("PRAGMA integrity_check(100)", [&](sqlite3_stmt* row) {
    const auto* text = reinterpret_cast<const char*>(::sqlite3_column_text(row, 0));
    fine = text != nullptr && std::string_view(text) == "ok";
    if (!fine) findings_.problem("", std::string("SQLite says: ") + (text == nullptr ? "" : text));
    return true;
  });
  return outcome(code);
}

bool has_companion(int folder, const std::string& name) {
  for (const char* suffix : {"-wal", "-journal"}) {
    struct stat info{};
    const std::string companion = name + suffix;
    if (::fstatat(folder, companion.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0 &&
        S_ISREG(info.st_mode) && info.st_size > 0)
      return true;
  }
  return false;
}

}  // namespace

Result<void> examine_database(int fd, const struct stat& info, int folder, const std::string& name,
                              const std::filesystem::path& scratch, const Progress* progress,
                              Findings& findings) {
  findings.report().databases++;
  if (info.st_size == 0) return {};  // a database without tables
  if (!live::looks_like_sqlite(fd)) {
    findings.problem("", "is no database of SQLite's");
    return {};
  }
  if (!has_companion(folder, name))
    return Check(live::uri_of(folder, name, kAlone), static_cast<uint64_t>(info.st_size), progress,
                 findings)
        .run();
  const auto copies = TRY(live::Scratch::make(scratch));
  live::CopyLimits limits{.keep_as = kCopyName};
  if (progress != nullptr) limits.stop = [progress] { return progress->cancel.load(); };
  const auto copy = TRY(live::copy_database(
      {.folder = folder, .name = name, .fd = fd, .info = info, .shown = findings.path()}, *copies,
      limits));
  if (!copy) {
    findings.problem("", "SQLite can't recover it from what a crash left beside it");
    return {};
  }
  struct stat copied{};
  if (::fstat(copy->file.get(), &copied) != 0)
    return fail_errno("look at the copy of " + findings.path(), errno);
  return Check(live::uri_of(copies->folder(), kCopyName, kAlone),
               static_cast<uint64_t>(copied.st_size), progress, findings)
      .run();
}

}  // namespace manman::examine
