#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace manman::db {

// One step of the schema, from migrations/NNNN_name.sql.
struct Migration {
  int number = 0;  // 1, 2, 3 …
  std::string_view name;
  std::string_view sql;
};

// All of them by number; from a file that the build writes.
std::span<const Migration> embedded_migrations();

// The statements of a migration, without comments. A statement ends with a semicolon at the end of
// a line; a comment has its line for itself.
std::vector<std::string> split_statements(std::string_view sql);

}  // namespace manman::db
