#pragma once

#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/error.h"
#include "domain/handling.h"

namespace manman {

// The handling that layers make together, each over those before it: what one says counts, for what
// it does not say those before it do. A layer is the text of a JSON object of the fields of a
// Handling that it says; "" says nothing. leave_out and examine add to what was said before, since
// of patterns the last that matches counts. quiesce and resume are one thing: who says one of them
// says both. A layer that is no such object is kInvalidArgument naming the field; a field that is
// not known is passed over.
Result<Handling> merged_handling(std::initializer_list<std::string_view> layers);

}  // namespace manman
