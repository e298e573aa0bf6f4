#pragma once

#include <memory>
#include <string>
#include <utility>

#include "db/engine.h"
#include "db/postgresql/settings.h"
#include "db/postgresql/watched_session.h"

namespace manman::db {

// PostgreSQL 12 or newer, by libpq. Transactions are serializable: each behaves as if it had run
// alone, so that what one has looked at before it writes still holds when it commits, however many
// processes work on the database. Where that can't be, the server ends one of them, and it is run
// again.
class PostgresqlEngine final : public Engine {
 public:
  // Only reads the URL; see PostgresqlSettings.
  static Result<std::unique_ptr<PostgresqlEngine>> open(const std::string& url,
                                                        int max_connections);
  PostgresqlEngine(PostgresqlSettings settings, int max_connections)
      : settings_(std::move(settings)), max_connections_(max_connections) {}

  const std::string& name() const override { return settings_.name; }
  int max_connections() const override { return max_connections_; }
  bool shared() const override { return true; }
  int max_attempts() const override { return 20; }
  Result<std::unique_ptr<soci::session>> connect() const override;
  bool usable(soci::session& sql) const override;
  void begin(soci::session& sql, Isolation isolation) const override;
  int64_t next_id(soci::session& sql, const std::string& table,
                  const std::string& id) const override;
  std::string_view hold_rows() const override { return " FOR NO KEY UPDATE"; }
  std::string_view by_bytes() const override { return " COLLATE \"C\""; }
  void pass_ids(soci::session& sql, const std::string& table, const std::string& id,
                int64_t last) const override;
  bool in_transaction(soci::session& sql) const override;
  bool has_table(soci::session& sql, const std::string& table) const override;
  void lock_schema(soci::session& sql) const override;
  Result<void> ping(soci::session& sql) const override;
  std::string translate(std::string statement) const override { return statement; }
  Failure explain(const soci::soci_error& error, soci::session& sql) const override;

 private:
  Result<void> set_up(soci::session& sql) const;

  PostgresqlSettings settings_;
  int max_connections_;
  mutable Watchdog watchdog_;
  WatchedSessions sessions_{watchdog_};
};

}  // namespace manman::db
