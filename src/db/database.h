#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>

#include "base/error.h"

namespace manman::db {

// One open transaction; repositories work on it. Not thread-safe.
class Transaction {
 public:
  virtual ~Transaction() = default;
};

// What a transaction knows of others that run beside it.
enum class Isolation {
  // It behaves as if all ran one after the other. One that meets another is run again.
  kSerializable,
  // For statements of which each is right by itself: each sees what others have committed when it
  // begins, waits for those that change the same rows, and is in nobody's way otherwise.
  kStatement,
};

// A database and its pool of connections. Thread-safe.
class Database {
 public:
  // url, of the setting PG_DATABASE_URL: postgres://… or postgresql://… as libpq reads it, or
  // sqlite:PATH, whose file is made when it is not there. Bad settings are kInvalidArgument, a
  // database that is away is kUnavailable; no message shows a password. max_connections: that a
  // PostgreSQL is asked for at once.
  static Result<std::unique_ptr<Database>> open(const std::string& url, int max_connections = 10);
  virtual ~Database() = default;

  // Whether other processes may work on it at the same time.
  virtual bool shared() const = 0;

  // Brings the schema to the newest version; two processes may do so at once. A schema newer than
  // this program knows is kFailedPrecondition.
  virtual Result<void> migrate() = 0;
  virtual Result<int> schema_version() = 0;

  // A cheap question, for readiness.
  virtual Result<void> ping() = 0;

  // How often transactions have been run again since the start.
  struct Retries {
    uint64_t conflicts = 0;         // another transaction was in the way
    uint64_t lost_connections = 0;  // before the commit
  };
  virtual Retries retries() const = 0;

  // Runs work in one transaction that may write: committed when work succeeds, rolled back when it
  // fails or throws. work may run more than once (conflict with another transaction, connection
  // lost), so it has no other effects. Returns what work returned, or why the transaction failed.
  //
  // When the connection is lost while the commit is under way, nobody knows whether the change was
  // made: that is kUnavailable, not retryable, and says so. To run work again is then safe where it
  // looks before it writes, as the transition tables, "one job at a time" and unique names do; a
  // caller whose second change would stand beside the first (a new SGC) leaves it to a person.
  template <typename F>
  std::invoke_result_t<F, Transaction&> transact(F&& work) {
    return transact(Isolation::kSerializable, std::forward<F>(work));
  }
  template <typename F>
  std::invoke_result_t<F, Transaction&> transact(Isolation isolation, F&& work) {
    using Outcome = std::invoke_result_t<F, Transaction&>;
    std::optional<Outcome> outcome;
    auto done = run(isolation, [&](Transaction& transaction) -> Result<void> {
      outcome.emplace(work(transaction));
      if (!*outcome) return std::unexpected(outcome->error());
      return {};
    });
    if (!done) return std::unexpected(std::move(done).error());
    return std::move(*outcome);
  }

  // The same for a single look, which decides on no change.
  template <typename F>
  std::invoke_result_t<F, Transaction&> look(F&& work) {
    return transact(Isolation::kStatement, std::forward<F>(work));
  }

  // The same database for work that others bring, of which there may be any amount: its
  // transactions get a connection when nothing else waits for one, so that what was begun comes to
  // its end under any load. It lives as long as this one.
  virtual Database& for_requests() = 0;

 protected:
  virtual Result<void> run(Isolation isolation,
                           const std::function<Result<void>(Transaction&)>& work) = 0;
};

}  // namespace manman::db
