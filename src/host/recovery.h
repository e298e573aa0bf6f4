#pragma once

#include "host/context.h"

namespace manman::host {

// Taking up what an earlier process left in the journal, in two steps.

// What needs neither bus nor store: games left quiesced are resumed, running ones watched (also one
// that the journal does not know), jobs whose data was being put in place given to their lanes, and
// last reports to the reporter.
void recover_from_disk(Context& context);
// Gives all other jobs to their lanes, in their order. Before any command.
void go_on_with_jobs(Context& context);

}  // namespace manman::host
