#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "cli/context.h"

// How a verb is put into the parser.
namespace manman::cli {

// A command without work of its own: `manman backup`.
CLI::App* add_group(CLI::App& parent, const std::string& name, const std::string& description);

// A command, with examples for its --help (at least one), and its work.
CLI::App* add_command(CLI::App& parent, const std::string& name, const std::string& description,
                      const std::vector<std::string>& examples);
void on_run(CLI::App* command, Context& context, std::function<Result<int>()> action);

// A positive id in decimal digits, as positional argument ("session") or option ("--session").
CLI::Option* add_id(CLI::App* command, const std::string& name, int64_t& id,
                    const std::string& description);

}  // namespace manman::cli
