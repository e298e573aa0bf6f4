#pragma once

#include "domain/messages.h"
#include "game/quiesce/console.h"
#include "game/quiesce/quiesce.h"
#include "host/context.h"

namespace manman::host {

// The console of a game: RCON where its launch says so, else its standard input.
Result<std::unique_ptr<Console>> console_of(Context& context, const GameInstance& game,
                                            const GameLaunch& launch);

// Makes a running game hold still as its launch says; without quiesce steps nothing is asked of it.
// While it does, a process of its own sees to it that it is resumed whatever becomes of this one.
// The caller has noted in the journal that the game may be quiesced. A game that ends meanwhile is
// success.
Result<Quiesced> hold_still(Context& context, Job& job, const GameInstance& game,
                            const GameLaunch& launch);

}  // namespace manman::host
