#pragma once

#include <string>

#include "base/error.h"
#include "db/postgresql/settings.h"

namespace manman::db {

// Why a connection could not be made: kInvalidArgument for what only other settings help against
// (password, database, TLS, …), kUnavailable, which a retry may help, for the rest. said: what
// libpq said.
Error connect_failure(const PostgresqlSettings& settings, const std::string& said);

}  // namespace manman::db
