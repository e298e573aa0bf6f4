#pragma once

#include <cstdint>
#include <string>

#include "domain/messages.h"
#include "host/context.h"

// The game of a restore drill: it runs on what was unpacked, kept apart from its players, from the
// network and from all other worlds here.
namespace manman::host {

// {data_dir}/drills/drill-{id}: to the runtime a GSC directory.
std::filesystem::path drill_dir(const Context& context, int64_t drill_id);

// Its session_id is the drill's, below 0.
GameInstance drill_game(const Context& context, int64_t drill_id, int64_t sgc_id);

// Whether it became ready. Its end is not waited for any longer than the game takes to stop as it
// usually does; nothing of it is left, whatever comes back.
struct GameTrial {
  std::string problem;  // of the world: the game ended, or was not ready in time; "": it was
  std::string said;     // "the game was ready after 3.2 s"
};
// An error says nothing of the backup: the game can't be run here, or not be kept apart.
Result<GameTrial> try_game(Context& context, Job& job, const DrillCommand& command);

// Ends a game that an earlier process of the host left in the folder of a drill, if there is one.
// An error when it does not end: then it still needs the folder.
Result<void> end_drill_game(Context& context, int64_t drill_id);

}  // namespace manman::host
