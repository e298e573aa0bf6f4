#pragma once

#include <string>

#include "base/error.h"

namespace manman::db {

// What a URL of the setting PG_DATABASE_URL asks for, with what we add to it.
struct PostgresqlSettings {
  std::string conninfo;  // for libpq: "host='db' …"; holds the password
  std::string name;      // for messages: "database manman at db:5432 (PG_DATABASE_URL)"
  std::string password;  // "" when the URL has none

  // postgres://user:password@host:port/dbname?parameter=value, as libpq reads it. Timeouts,
  // keepalives and the application's name are added where the URL does not set them; UTC, UTF-8,
  // ISO dates and serializable transactions always. A URL that libpq can't read is
  // kInvalidArgument, and no part of it is shown: what looks like a port may be half a password.
  static Result<PostgresqlSettings> parse(const std::string& url);

  // A message of libpq or the server as one line, and without the password.
  std::string presentable(const std::string& message) const;
};

}  // namespace manman::db
