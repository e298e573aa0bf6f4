#pragma once

#include "cli/cli.h"
#include "cli/command.h"

// One function per group of verbs; each puts its commands into the parser.
namespace manman::cli {

void add_serve(CLI::App& app, Context& context, const Programs& programs);
void add_backup(CLI::App& app, Context& context);
void add_session(CLI::App& app, Context& context);
void add_server(CLI::App& app, Context& context);
void add_game(CLI::App& app, Context& context);
void add_config(CLI::App& app, Context& context);
void add_sgc(CLI::App& app, Context& context);
void add_deploy(CLI::App& parent, const std::string& name, Context& context);
void add_archive(CLI::App& app, Context& context);
// version, and what only tests and manman itself call: failpoints, game-wrapper.
void add_internal(CLI::App& app, Context& context, const Programs& programs);

}  // namespace manman::cli
