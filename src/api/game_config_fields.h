#pragma once

#include <vector>

#include "base/error.h"
#include "domain/catalog.h"

namespace manman::api {

// Fills in what a game config leaves open (the data path of a container) and checks the rest but
// for its handling (api/handling_fields.h); kInvalidArgument names the field.
Result<void> complete_and_check(GameConfig& config);

// The same for port bindings (protocol: TCP). A host port stands in a protocol once.
Result<void> complete_and_check(std::vector<PortBinding>& bindings);

// What is executed: entrypoint, command and the words of args_template.
Result<std::vector<std::string>> argv_of(const GameConfig& config);

}  // namespace manman::api
