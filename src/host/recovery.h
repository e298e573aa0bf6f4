#pragma once

#include "host/context.h"

namespace manman::host {

// At the start, before any command: takes up what an earlier process left in the journal. Games
// left quiesced are resumed, running ones watched, last reports delivered, all other jobs given to
// their lanes in their order. A game that runs and is not in the journal is watched too.
void recover(Context& context);

}  // namespace manman::host
