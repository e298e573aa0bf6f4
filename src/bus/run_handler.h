#pragma once

#include "bus/bus.h"

namespace manman {

// What the handler says; kRetry when it throws.
Handled run_handler(const Handler& handler, const Message& message);

}  // namespace manman
