#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "db/database.h"
#include "db/soci.h"

namespace manman::db {

// Why a statement failed.
struct Failure {
  Error error;
  bool conflict = false;  // with another transaction; the whole one may succeed when run again
  bool lost = false;      // the connection is gone, and with it what was not yet being committed
};

// What differs between the databases that the repositories run on. Thread-safe; a session is used
// by one thread at a time. Functions that ask the database throw soci::soci_error.
class Engine {
 public:
  virtual ~Engine() = default;

  // For messages: "database /var/lib/manman/manman.db".
  virtual const std::string& name() const = 0;
  // How many transactions the database can run side by side.
  virtual int max_connections() const = 0;
  // Whether other processes may work on the database at the same time.
  virtual bool shared() const = 0;
  // How often a transaction is run at most that meets others.
  virtual int max_attempts() const = 0;
  // A new connection, set up.
  virtual Result<std::unique_ptr<soci::session>> connect() const = 0;
  // Whether an idle connection still seems to be there; costs next to nothing.
  virtual bool usable(soci::session& sql) const = 0;
  // Begins a transaction that may write, and can't be refused a lock later on.
  virtual void begin(soci::session& sql, Isolation isolation) const = 0;
  // An id for a new row of this table, which no other row gets.
  virtual int64_t next_id(soci::session& sql, const std::string& table,
                          const std::string& id) const = 0;
  // What a SELECT ends with that keeps others from changing its rows until the transaction ends.
  virtual std::string_view hold_rows() const = 0;
  // What a column's name is followed by that is compared and ordered by the bytes of its text.
  virtual std::string_view by_bytes() const = 0;
  // No new row of this table gets an id up to this one from now on.
  virtual void pass_ids(soci::session& sql, const std::string& table, const std::string& id,
                        int64_t last) const = 0;
  virtual bool in_transaction(soci::session& sql) const = 0;
  virtual bool has_table(soci::session& sql, const std::string& table) const = 0;
  // Keeps other processes from migrating until the transaction ends.
  virtual void lock_schema(soci::session& sql) const = 0;
  // Asks something that reaches the stored data.
  virtual Result<void> ping(soci::session& sql) const = 0;
  // A statement of a migration in this database's words.
  virtual std::string translate(std::string statement) const = 0;
  virtual Failure explain(const soci::soci_error& error, soci::session& sql) const = 0;
};

}  // namespace manman::db
