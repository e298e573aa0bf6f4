#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/examine_rule.h"

namespace manman {

// One line to the game's console, and the output that shows that it was done.
struct QuiesceStep {
  std::string input;
  std::string confirm_regex;  // RE2 syntax; "" waits for nothing
  int timeout_seconds = 30;
  int repeat_ms = 0;  // the line is sent again this often until it is confirmed; 0: once
  // The confirming answer is followed by the list of the files that may be copied, with their
  // lengths ("world/db/000050.ldb:2223, world/level.dat:2209"): only these, cut to that length.
  bool lists_files = false;

  bool operator==(const QuiesceStep&) const = default;
};

// Where a game answers the Source RCON protocol. The password is a secret of the host's own disk;
// only its name travels.
struct RconSettings {
  int port = 0;        // the game's own; 0: it is spoken to by its standard input
  std::string secret;  // {data_dir}/secrets/{secret}

  bool operator==(const RconSettings&) const = default;
};

// What to do when a game does not confirm that it holds still.
enum class Unconfirmed {
  kFail,  // the backup fails
  kGoOn,  // it is taken all the same, and says so
};

std::string_view to_text(Unconfirmed unconfirmed);  // "fail", "go-on"

// How a running game is handled: how it is stopped, how it is made to hold still while its save
// data is read, which of its files are not save data, how the others are examined, and what it says
// when it is ready for players.
struct Handling {
  std::string stop_command;
  int stop_grace_seconds = 30;
  RconSettings rcon;
  std::vector<QuiesceStep> quiesce;
  std::vector<std::string> resume;  // lines that undo it
  std::string files_root;           // below game/: what a step with lists_files names stands here
  int max_pause_seconds = 0;  // then the game goes on while the rest is read; 0: as the host says
  Unconfirmed unconfirmed = Unconfirmed::kFail;
  std::vector<std::string> leave_out;  // gitignore patterns, relative to game/
  std::vector<ExamineRule> examine;    // besides what is examined of every game
  // RE2 syntax: a line of output that says that the game serves its players; "": none is known.
  std::string ready;
  int ready_timeout_seconds = 120;

  bool operator==(const Handling&) const = default;
};

}  // namespace manman
