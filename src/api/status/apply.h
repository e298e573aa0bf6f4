#pragma once

#include <functional>

#include "api/context.h"
#include "domain/messages.h"

// Applies what hosts report to the rows, by the transition tables: each report decides by its own
// row alone, which it holds meanwhile. Each function is one
// transaction and may be repeated: a report that comes late or twice changes nothing.
// kInvalidArgument: the report contradicts its row and never can be applied. Other errors: not
// now.
namespace manman::api {

enum class Effect {
  kApplied,
  kIgnored,     // late, repeated, or of another attempt
  kUnknownRow,  // its row is gone
};

Result<Effect> apply(const Context& context, const BackupReport& report);
Result<Effect> apply(const Context& context, const SessionReport& report);
Result<Effect> apply(const Context& context, const DrillReport& report);

}  // namespace manman::api
