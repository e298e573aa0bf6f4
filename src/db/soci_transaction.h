#pragma once

#include <optional>
#include <type_traits>

#include "base/error.h"
#include "db/database.h"
#include "db/engine.h"
#include "db/soci.h"

namespace manman::db {

// The transaction of every database here. After a statement has failed it only repeats that
// failure: some databases have then rolled it back already, and what followed would be committed
// by itself.
class SociTransaction final : public Transaction {
 public:
  SociTransaction(soci::session& sql, const Engine& engine) : sql_(sql), engine_(engine) {}

  soci::session& sql() { return sql_; }
  const Engine& engine() const { return engine_; }
  const std::optional<Failure>& failure() const { return failure_; }

  // Runs statements; what SOCI throws becomes the error.
  template <typename F>
  std::invoke_result_t<F, soci::session&> query(F&& work) {
    if (failure_) return std::unexpected(failure_->error);
    try {
      return work(sql_);
    } catch (const soci::soci_error& error) {
      failure_ = engine_.explain(error, sql_);
      return std::unexpected(failure_->error);
    }
  }

 private:
  soci::session& sql_;
  const Engine& engine_;
  std::optional<Failure> failure_;
};

inline const Engine& engine_of(const Transaction& tx) {
  return static_cast<const SociTransaction&>(tx).engine();
}

// work(soci::session&) returns a Result.
template <typename F>
auto query(Transaction& tx, F&& work) {
  return static_cast<SociTransaction&>(tx).query(std::forward<F>(work));
}

}  // namespace manman::db
