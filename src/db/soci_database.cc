#include "db/soci_database.h"

#include <algorithm>
#include <thread>

#include "base/retry.h"
#include "db/soci_transaction.h"

namespace manman::db {
namespace {

using std::chrono::milliseconds;

// A transaction that meets others is run again within this time, after these pauses.
constexpr std::chrono::seconds kRetrying{60};
constexpr Backoff kBackoff{milliseconds(10), milliseconds(500)};
// How long one waits for a connection.
constexpr milliseconds kPatience{60000};
constexpr milliseconds kPingPatience{5000};

// A transaction inside another on one thread would wait for itself for ever.
thread_local const void* t_in_transaction = nullptr;

class InTransaction {
 public:
  explicit InTransaction(const void* database)
      : before_(std::exchange(t_in_transaction, database)) {}
  InTransaction(const InTransaction&) = delete;
  InTransaction& operator=(const InTransaction&) = delete;
  ~InTransaction() { t_in_transaction = before_; }

 private:
  const void* before_;
};

// Rolls back unless committed. A connection that can't even do that is thrown away.
class Rollback {
 public:
  Rollback(ConnectionPool::Lease& lease, const Engine& engine) : lease_(lease), engine_(engine) {}
  Rollback(const Rollback&) = delete;
  Rollback& operator=(const Rollback&) = delete;
  ~Rollback() {
    if (committed_) return;
    try {
      if (engine_.in_transaction(lease_.sql())) lease_.sql() << "ROLLBACK";
    } catch (const soci::soci_error&) {
      lease_.discard();  // closing ends the transaction as well
    }
  }
  void commit() {
    lease_.sql() << "COMMIT";
    committed_ = true;
  }

 private:
  ConnectionPool::Lease& lease_;
  const Engine& engine_;
  bool committed_ = false;
};

Error unknown_outcome(const Error& lost) {
  return Error{Code::kUnavailable,
               lost.message +
                   "; it happened while a change was being committed, which may or may "
                   "not have been made"}
      .with_hint("look whether it was made before you try again");
}

constexpr const char* kMakeSchemaTable =
    "CREATE TABLE IF NOT EXISTS schema_migrations ("
    "version INTEGER PRIMARY KEY, name TEXT NOT NULL)";

int current_version(soci::session& sql) {
  int version = 0;
  sql << "SELECT COALESCE(MAX(version), 0) FROM schema_migrations", soci::into(version);
  return version;
}

}  // namespace

Result<void> SociDatabase::connect() {
  TRY(pool_.lease(Turn::kFirst, kPatience));
  return {};
}

Result<void> SociDatabase::run(Isolation isolation,
                               const std::function<Result<void>(Transaction&)>& work, Turn turn) {
  if (t_in_transaction == this) {
    return fail(Code::kInternal, engine_->name() + ": a transaction inside a transaction");
  }
  const auto until = std::chrono::steady_clock::now() + kRetrying;
  for (int retry = 0;; retry++) {
    Outcome outcome = run_once(isolation, work, turn);
    if (!outcome.conflict && !outcome.lost) return std::move(outcome.result);
    if (retry + 1 >= engine_->max_attempts() || std::chrono::steady_clock::now() > until) {
      return std::move(outcome.result);
    }
    (outcome.conflict ? conflicts_ : lost_)++;
    std::this_thread::sleep_for(kBackoff.wait_before_retry(retry));
  }
}

SociDatabase::Outcome SociDatabase::run_once(Isolation isolation,
                                             const std::function<Result<void>(Transaction&)>& work,
                                             Turn turn) {
  auto lease = pool_.lease(turn, kPatience);
  if (!lease) return {std::unexpected(std::move(lease).error())};
  const auto failed = [](Failure failure) {
    return Outcome{std::unexpected(std::move(failure.error)), failure.conflict, failure.lost};
  };
  const InTransaction mark(this);
  SociTransaction transaction(lease->sql(), *engine_);
  Rollback rollback(*lease, *engine_);
  try {
    engine_->begin(lease->sql(), isolation);
  } catch (const soci::soci_error& error) {
    return failed(engine_->explain(error, lease->sql()));
  }
  Result<void> result = work(transaction);
  if (const auto& failure = transaction.failure()) {
    // The caller's error says more, where it has passed the failure on.
    if (!result) return {std::move(result), failure->conflict, failure->lost};
    return failed(*failure);
  }
  if (!result) return {std::move(result)};
  try {
    rollback.commit();
  } catch (const soci::soci_error& error) {
    Failure failure = engine_->explain(error, lease->sql());
    if (failure.lost) return {std::unexpected(unknown_outcome(failure.error))};
    return failed(std::move(failure));
  }
  return {};
}

Result<int> SociDatabase::schema_version() {
  int version = 0;
  TRY(run(Isolation::kSerializable, [&](Transaction& tx) {
    return query(tx, [&](soci::session& sql) -> Result<void> {
      version = engine_->has_table(sql, "schema_migrations") ? current_version(sql) : 0;
      return {};
    });
  }));
  return version;
}

Result<void> SociDatabase::migrate() {
  while (TRY(apply_next_migration())) {
  }
  return {};
}

// False when there is none left. One transaction, so that a crash leaves a whole schema, and two
// processes take turns.
Result<bool> SociDatabase::apply_next_migration() {
  bool applied = false;
  TRY(run(Isolation::kSerializable, [&](Transaction& tx) {
    return query(tx, [&](soci::session& sql) -> Result<void> {
      applied = false;
      engine_->lock_schema(sql);
      sql << kMakeSchemaTable;
      const int version = current_version(sql);
      const int newest = static_cast<int>(migrations_.size());
      if (version > newest) {
        return std::unexpected(Error{Code::kFailedPrecondition,
                                     engine_->name() + " has schema " + std::to_string(version) +
                                         ", this program knows schemas up to " +
                                         std::to_string(newest)}
                                   .with_hint("use the manman that migrated it, or a newer one"));
      }
      if (version == newest) return {};
      const Migration& migration = migrations_[static_cast<size_t>(version)];
      for (std::string& statement : split_statements(migration.sql)) {
        sql << engine_->translate(std::move(statement));
      }
      const std::string name(migration.name);
      sql << "INSERT INTO schema_migrations (version, name) VALUES (:version, :name)",
          soci::use(migration.number, "version"), soci::use(name, "name");
      applied = true;
      return {};
    });
  }));
  return applied;
}

Result<void> SociDatabase::ping() {
  auto lease = TRY(pool_.lease(Turn::kFirst, kPingPatience));
  try {
    return engine_->ping(lease.sql());
  } catch (const soci::soci_error& error) {
    return std::unexpected(engine_->explain(error, lease.sql()).error);
  }
}

}  // namespace manman::db
