#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "db/soci.h"
#include "domain/catalog.h"
#include "domain/keep_rules.h"

// What columns hold beyond numbers and text.
namespace manman::db {

// An id, or NULL for 0.
struct OptionalId {
  int64_t value = 0;
  soci::indicator indicator = soci::i_null;

  OptionalId() = default;
  OptionalId(int64_t id)  // NOLINT(google-explicit-constructor)
      : value(id), indicator(id == 0 ? soci::i_null : soci::i_ok) {}
  int64_t get() const { return indicator == soci::i_ok ? value : 0; }
};

// Text that every database takes: UTF-8 without NUL; else kInvalidArgument naming the column.
Result<void> check_text(std::string_view column, std::string_view text);

// TIMESTAMP columns, in UTC: "2026-01-31 12:00:00" from and to Unix seconds. As text, because what
// SOCI makes of a std::tm depends on the time zone of the process.
Result<std::string> timestamp_of(std::string_view column, int64_t unix_s);
Result<int64_t> unix_seconds_from(std::string_view column, const std::string& timestamp);

// JSON columns. Making one checks every text in it; reading one that is not what we write is
// kDataLoss naming the column.
Result<std::string> json_of(std::string_view column, const std::vector<std::string>& texts);
Result<std::string> json_of(std::string_view column,
                            const std::map<std::string, std::string>& texts);
Result<std::string> json_of(std::string_view column, const std::vector<PortBinding>& bindings);
std::string json_of(const KeepRules& keep);  // only what it says

Result<std::vector<std::string>> texts_from(std::string_view column, const std::string& json);
Result<std::map<std::string, std::string>> text_map_from(std::string_view column,
                                                         const std::string& json);
Result<std::vector<PortBinding>> port_bindings_from(std::string_view column,
                                                    const std::string& json);
Result<KeepRules> keep_rules_from(std::string_view column, const std::string& json);

// The columns of a table that hold limits.
template <typename Row>
BackupLimits limits_from(const Row& row) {
  return {row.max_concurrent_backups, row.max_total_bytes, row.max_manual_per_hour};
}
template <typename Row>
void set_limits(const BackupLimits& limits, Row& row) {
  row.max_concurrent_backups = limits.max_concurrent_backups;
  row.max_total_bytes = limits.max_total_bytes;
  row.max_manual_per_hour = limits.max_manual_per_hour;
}

// The columns "format" and "level" of a table.
Result<Compression> compression_from(std::string_view table, const std::string& format,
                                     const std::string& level);

// The error of a row that holds what no version of this program writes.
Error damaged(std::string_view column, std::string_view content);

}  // namespace manman::db
