#pragma once

#include <cstdint>
#include <limits>

#include "domain/messages.h"
#include "host/context.h"

namespace manman::host {

// Drills wait for one another, and neither for what SGCs do nor it for them.
inline constexpr int64_t kDrillLane = std::numeric_limits<int64_t>::min();

// A restore drill: unpacks a backup into {data_dir}/drills/drill-{id}/, far from any game/,
// examines what came out, starts the game on it if asked to, removes it and reports. It works in
// threads of the manners of a backup, and so does the game.
// What is wrong with the backup is its outcome; that it could not be done is another.
void run_drill(Context& context, Job& job, const DrillCommand& command);

DrillReport drill_renewal(const DrillCommand& command, int64_t server_id, const Progress& progress);

// {data_dir}/drills
std::filesystem::path drills_dir(const Context& context);

}  // namespace manman::host
