#pragma once

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "domain/json_fields.h"
#include "domain/messages.h"

namespace manman {

nlohmann::ordered_json port_bindings_to_json(const std::vector<PortBinding>& bindings);
// The field "port_bindings"; absent: none.
Result<std::vector<PortBinding>> port_bindings_from(const Fields& fields);
nlohmann::ordered_json launch_to_json(const GameLaunch& launch);
// The field "launch" of a command; one that is absent is an empty launch.
Result<GameLaunch> launch_from(const Fields& command);

}  // namespace manman
