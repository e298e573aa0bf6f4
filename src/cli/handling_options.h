#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/error.h"
#include "cli/command.h"
#include "manman/v1/manman.pb.h"

// The options that say how a running game is handled, the same for a game config and an SGC.
namespace manman::cli {

struct HandlingOptions {
  std::filesystem::path file;
  std::string profile, stop_command, rcon_secret, unconfirmed, files_root, ready;
  int stop_grace = 0;  // of the numbers, 0 is not said
  int rcon_port = 0;
  int max_pause = 0;
  int ready_timeout = 0;
  bool no_quiesce = false;
  std::vector<std::string> quiesce, resume, leave_out, examine;
};

void add_handling_options(Command& command, HandlingOptions& options);
// Those of them that concern backups.
void add_backup_handling_options(Command& command, HandlingOptions& options);

// Puts the fields that the options say, but the profile, over those of `handling`: of a file first.
Result<void> apply(const HandlingOptions& options, v1::Handling& handling);

// INPUT[=>REGEX[=>SECONDS]], such as 'save-all flush=>Saved the game=>60'. The last part counts as
// seconds only when it is a number.
Result<v1::QuiesceStep> parse_quiesce(const std::string& text);

// PATTERN=>AS, such as 'playerdata/*.dat=>nbt'.
Result<v1::ExamineRule> parse_examine(const std::string& text);

}  // namespace manman::cli
