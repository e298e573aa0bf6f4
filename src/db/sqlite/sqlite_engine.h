#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "db/engine.h"

namespace manman::db {

// SQLite 3 in a file: WAL, synchronous=FULL, foreign keys on. Transactions take the write lock at
// their beginning and so run one at a time, other processes' too.
class SqliteEngine final : public Engine {
 public:
  // Makes the file, for its owner only, when it is not there. A folder that is missing is
  // kInvalidArgument, one that can't be written kPermissionDenied.
  static Result<std::unique_ptr<SqliteEngine>> open(const std::filesystem::path& path);
  explicit SqliteEngine(std::filesystem::path path)
      : path_(std::move(path)), name_("database " + path_.string()) {}

  const std::string& name() const override { return name_; }
  int max_connections() const override { return 1; }
  bool shared() const override { return false; }  // the folder's lock sees to it
  int max_attempts() const override { return 6; }
  Result<std::unique_ptr<soci::session>> connect() const override;
  bool usable(soci::session&) const override { return true; }
  void begin(soci::session& sql, Isolation isolation) const override;
  int64_t next_id(soci::session& sql, const std::string& table,
                  const std::string& id) const override;
  std::string_view hold_rows() const override { return ""; }
  std::string_view by_bytes() const override { return ""; }
  void pass_ids(soci::session& sql, const std::string& table, const std::string& id,
                int64_t last) const override;
  bool in_transaction(soci::session& sql) const override;
  bool has_table(soci::session& sql, const std::string& table) const override;
  void lock_schema(soci::session& sql) const override;
  Result<void> ping(soci::session& sql) const override;
  std::string translate(std::string statement) const override;
  Failure explain(const soci::soci_error& error, soci::session& sql) const override;

 private:
  void set_up(soci::session& sql) const;
  Failure explain(int result, int system_errno, const std::string& message) const;

  std::filesystem::path path_;
  std::string name_;
};

}  // namespace manman::db
