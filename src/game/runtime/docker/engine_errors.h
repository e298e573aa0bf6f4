#pragma once

#include <string>

#include "base/error.h"

namespace manman::docker {

// The engine at this socket can't be reached; error_number is errno of the connecting, 0 when that
// is not known.
Error unreachable(const std::string& socket, int error_number);

}  // namespace manman::docker
