#include "game/quiesce/console.h"

namespace manman {

Result<std::unique_ptr<Console>> open_console(Runtime& runtime, const GameInstance& game,
                                              const RconPlace& rcon) {
  if (rcon.port == 0) return make_stdin_console(runtime, game);
  return fail(Code::kUnimplemented, "RCON");
}

}  // namespace manman
