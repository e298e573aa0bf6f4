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
  // fails or throws. Transactions behave as if they ran one after the other. work may run more
  // than once (conflict with another transaction, connection lost), so it has no other effects.
  // Returns what work returned, or why the transaction failed.
  //
  // When the connection is lost while the commit is under way, nobody knows whether the change was
  // made: that is kUnavailable, not retryable, and says so. To run work again is then safe where it
  // looks before it writes, as the transition tables, "one job at a time" and unique names do; a
  // caller whose second change would stand beside the first (a new SGC) leaves it to a person.
  template <typename F>
  std::invoke_result_t<F, Transaction&> transact(F&& work) {
    using Outcome = std::invoke_result_t<F, Transaction&>;
    std::optional<Outcome> outcome;
    auto done = run([&](Transaction& transaction) -> Result<void> {
      outcome.emplace(work(transaction));
      if (!*outcome) return std::unexpected(outcome->error());
      return {};
    });
    if (!done) return std::unexpected(std::move(done).error());
    return std::move(*outcome);
  }

 protected:
  virtual Result<void> run(const std::function<Result<void>(Transaction&)>& work) = 0;
};

}  // namespace manman::db
