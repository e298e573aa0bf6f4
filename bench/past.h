#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <type_traits>

#include "db/database.h"

namespace manman::bench {

// The value of a result that must be good; else the program ends.
template <typename T>
T must(Result<T> result) {
  if (!result) {
    std::fprintf(stderr, "%s\n", result.error().text().c_str());
    std::exit(1);
  }
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}

// Gives an empty, migrated database a past: `servers` servers with one SGC each, of which each has
// a running session and some ended ones, and `backups` completed backups, spread over all of them.
// One with backups stays as it is.
Result<void> give_past(db::Database& database, int servers, int64_t backups);

}  // namespace manman::bench
