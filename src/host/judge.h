#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "domain/consistency.h"

namespace manman::host {

// How the save data of a backup was read.
struct Reading {
  bool game_ran = false;    // when the reading began, or when it ended
  bool held = false;        // it was told to save, and to hold still
  bool saved_only = false;  // of a game told so: it can only be told to save, and goes on writing
  std::string unconfirmed;  // of a game told so: why it is not certain that it did; "" when it is
  bool overran = false;     // it went on before all was read, since the longest pause was over
  std::chrono::milliseconds pause{0};
  bool listed = false;     // the game said what of its world to copy, and how much of it
  std::string snapshot;    // what kind of snapshot was read instead of the data; "": none
  bool atomic = false;     // a snapshot of one moment, whatever the game does meanwhile
  uint64_t databases = 0;  // taken by SQLite's online backup
  // Of all files one of these alone was written to: its copy says which moment it is.
  bool one_database_written = false;
  // What else was written to while it was read, or while the snapshot was made. Of a world that the
  // game lists, what comes after the listed bytes is not meant.
  std::vector<std::string> changed;
  uint64_t changed_count = 0;
};

// Whether that gives one moment of the world, and why.
ConsistencyVerdict judge(const Reading& reading);

}  // namespace manman::host
