#pragma once

#include <string>

#include "db/engine.h"

namespace manman::db {

// What a SQLSTATE (PostgreSQL's appendix A) means for the caller. said: the server's message.
Failure explain_state(const std::string& state, const std::string& said);

}  // namespace manman::db
