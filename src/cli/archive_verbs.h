#pragma once

#include "cli/command.h"

// `manman archive …`, which works on files and needs no service.
namespace manman::cli {

void add_archive_create(Command& group, Context& context);
void add_archive_list(Command& group, Context& context);
void add_archive_extract(Command& group, Context& context);
void add_archive_verify(Command& group, Context& context);
void add_archive_cat(Command& group, Context& context);

// Of a result's warnings, the first of `count`.
void show_warnings(const Globals& globals, const std::vector<std::string>& warnings,
                   uint64_t count);

void add_threads(Command& command, int& threads);
void add_no_sync(Command& command, bool& no_sync);

// For errors of damaged archives.
inline constexpr const char* kSalvageHint =
    "'manman archive extract FILE DIR --salvage' unpacks what is whole";

// "world.tar.gz is whole: 12 entries, 3.4 MiB" and its digest, in lines for a person.
std::string whole_text(const std::string& name, uint64_t entries, uint64_t data_size_bytes,
                       bool indexed, const std::string& sha256);

// What reading an archive ended in. What an archive holds is not wrong usage: an entry or a
// format that the engine refuses (kInvalidArgument) is shown here, and the exit code is kFailed.
Result<int> archive_outcome(const Globals& globals, Result<int> result);

}  // namespace manman::cli
