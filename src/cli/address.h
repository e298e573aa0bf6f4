#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace manman::cli {

// Whether text is HOST:PORT (IPv6 hosts in brackets); kInvalidArgument naming `setting` if not.
// Port 0, "any free one", is only good for something that listens.
Result<void> check_address(std::string_view text, std::string_view setting, bool listens);

}  // namespace manman::cli
