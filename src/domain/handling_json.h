#pragma once

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "domain/handling.h"
#include "domain/json_fields.h"

namespace manman {

// The fields of a handling in `object`; one that is absent has its default.
Result<Handling> handling_from(const Fields& object);
// All of them, into `object`.
void add_handling(const Handling& handling, nlohmann::ordered_json& object);

}  // namespace manman
