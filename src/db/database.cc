#include "db/database.h"

#include "db/migrations.h"
#include "db/postgresql/postgresql_engine.h"
#include "db/soci_database.h"
#include "db/sqlite/sqlite_engine.h"

namespace manman::db {

namespace {

Result<std::unique_ptr<Engine>> engine_for(const std::string& url, int max_connections) {
  constexpr std::string_view kSqlite = "sqlite:";
  if (url.starts_with(kSqlite)) return SqliteEngine::open(url.substr(kSqlite.size()));
  if (url.starts_with("postgres://") || url.starts_with("postgresql://")) {
    return PostgresqlEngine::open(url, max_connections);
  }
  // Not the whole of it: a URL of a database may carry a password.
  return fail(Code::kInvalidArgument, "PG_DATABASE_URL must be postgres://… or sqlite:PATH, not " +
                                          url.substr(0, std::min(url.find(':'), size_t{20})) +
                                          ":…");
}

}  // namespace

Result<std::unique_ptr<Database>> Database::open(const std::string& url, int max_connections) {
  auto database =
      std::make_unique<SociDatabase>(TRY(engine_for(url, max_connections)), embedded_migrations());
  TRY(database->connect());
  return database;
}

}  // namespace manman::db
