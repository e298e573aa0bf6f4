#pragma once

#include "cli/command.h"

// `manman archive …`, which works on files and needs no service.
namespace manman::cli {

void add_archive_create(CLI::App& group, Context& context);
void add_archive_list(CLI::App& group, Context& context);
void add_archive_extract(CLI::App& group, Context& context);
void add_archive_verify(CLI::App& group, Context& context);
void add_archive_cat(CLI::App& group, Context& context);

CLI::Option* add_threads(CLI::App* command, int& threads);

// What reading an archive ended in. What an archive holds is not wrong usage: an entry or a
// format that the engine refuses (kInvalidArgument) is shown here, and the exit code is kFailed.
Result<int> archive_outcome(const Globals& globals, Result<int> result);

}  // namespace manman::cli
