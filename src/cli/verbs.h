#pragma once

#include "cli/cli.h"
#include "cli/command.h"

// One function per group of verbs; each puts its commands into the parser.
namespace manman::cli {

void add_serve(Command& app, Context& context, const Programs& programs);
void add_api(Command& app, Context& context, const Programs& programs);
void add_host(Command& app, Context& context, const Programs& programs);
void add_migrate(Command& app, Context& context, const Programs& programs);
void add_backup(Command& app, Context& context);
void add_session(Command& app, Context& context);
void add_server(Command& app, Context& context);
void add_game(Command& app, Context& context);
void add_config(Command& app, Context& context);
void add_events(Command& app, Context& context);
void add_webhook(Command& app, Context& context);
void add_profile(Command& app, Context& context);
void add_sgc(Command& app, Context& context);
void add_policy(Command& app, Context& context);
void add_deploy(Command& parent, const std::string& name, Context& context);
void add_archive(Command& app, Context& context);
void add_audit(Command& app, Context& context);
void add_examine(Command& app, Context& context, const Programs& programs);
// version, and what only tests and manman itself call: failpoints, game-wrapper.
void add_internal(Command& app, Context& context, const Programs& programs);

}  // namespace manman::cli
