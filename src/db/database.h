#pragma once

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
  // url: sqlite:PATH. The file is made when it is not there. Bad settings are kInvalidArgument,
  // a database that is away is kUnavailable.
  static Result<std::unique_ptr<Database>> open(const std::string& url);
  virtual ~Database() = default;

  // Brings the schema to the newest version; two processes may do so at once. A schema newer than
  // this program knows is kFailedPrecondition.
  virtual Result<void> migrate() = 0;
  virtual Result<int> schema_version() = 0;

  // A cheap question, for readiness.
  virtual Result<void> ping() = 0;

  // Runs work in one transaction that may write: committed when work succeeds, rolled back when it
  // fails or throws. work may run more than once (conflict with another transaction), so it
  // has no other effects. Returns what work returned, or why the transaction failed.
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
