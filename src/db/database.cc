#include "db/database.h"

#include "db/migrations.h"
#include "db/soci_database.h"
#include "db/sqlite/sqlite_engine.h"

namespace manman::db {

Result<std::unique_ptr<Database>> Database::open(const std::string& url) {
  constexpr std::string_view kSqlite = "sqlite:";
  if (!url.starts_with(kSqlite)) {
    // Not the whole of it: an url of a database may carry a password.
    return fail(Code::kInvalidArgument, "database url must be sqlite:PATH, not " +
                                            url.substr(0, std::min(url.find(':'), size_t{20})) +
                                            ":…");
  }
  auto engine = TRY(SqliteEngine::open(url.substr(kSqlite.size())));
  auto database = std::make_unique<SociDatabase>(std::move(engine), embedded_migrations());
  TRY(database->connect());
  return database;
}

}  // namespace manman::db
