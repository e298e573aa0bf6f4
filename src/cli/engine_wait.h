#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/error.h"

namespace manman::cli {

// What a process stands on and may find away when it starts.
struct Engine {
  std::string part;                    // "bus"; as readiness calls it
  std::string setting;                 // that says where it is: "--bus (RABBITMQ_URL)"
  std::function<Result<void>()> open;  // a retryable error says that it is away
};

using OnAway = std::function<void(const std::string& part, const Error& why)>;

// Opens all of them, and true. One that is away is tried again, with backoff, until it is there:
// with one line in the log when the waiting for it begins and one when it ends, and on_away told of
// each failure. Any other error, of any of them, is final. False: the user has interrupted.
Result<bool> open_engines(std::vector<Engine> engines, const OnAway& on_away);

}  // namespace manman::cli
