#pragma once

#include "host/context.h"

namespace manman::host {

// Gives a job of the journal to the lane of its SGC, where it is done by the flow of its kind. From
// now on its lease is renewed.
void schedule(Context& context, const Record& record);

}  // namespace manman::host
