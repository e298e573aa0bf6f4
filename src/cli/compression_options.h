#pragma once

#include <string>

#include "cli/command.h"

namespace manman::cli {

// --format and --level, as Compression::parse() takes them. `usual` says what holds without them.
void add_compression(Command& command, std::string& format, std::string& level,
                     const std::string& usual);

}  // namespace manman::cli
