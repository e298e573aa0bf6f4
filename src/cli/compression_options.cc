#include "cli/compression_options.h"

namespace manman::cli {

void add_compression(Command& command, std::string& format, std::string& level,
                     const std::string& usual) {
  command.add("--format", format, "gz, zst or none (a plain .tar); not given: " + usual)
      .value("FORMAT")
      .one_of({"gz", "zst", "none"});
  command
      .add("--level", level,
           "How hard to compress: fast, default or best of gz; 1 to 19 of zst, where 3 is the "
           "default")
      .value("LEVEL");
}

}  // namespace manman::cli
