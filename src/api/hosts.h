#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "api/context.h"
#include "db/database.h"
#include "domain/catalog.h"

// Servers, as their host managers make themselves known and heard.
namespace manman::api {

// The server of this name, made when there is none, and heard of now. Name and environment have
// been checked.
Result<Server> register_server(const Context& context, const std::string& name,
                               const std::string& environment);

// These have given a sign of life: those that were offline are back.
Result<void> note_back(const Context& context, db::Transaction& tx,
                       const std::vector<int64_t>& server_ids);

}  // namespace manman::api
