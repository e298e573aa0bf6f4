#pragma once

#include <cstdint>
#include <string>

#include "cli/command.h"
#include "manman/v1/manman.pb.h"

// The verbs of `manman policy …` that have a file of their own, and what they share.
namespace manman::cli {

// How long backups are kept; 0 and "" are not said.
struct KeepOptions {
  int last = 0, hourly = 0, daily = 0, weekly = 0, monthly = 0, yearly = 0;
  std::string within;
  uint32_t total_mib = 0;
};
void add_keep_options(Command& command, KeepOptions& keep);
void apply(const KeepOptions& options, v1::KeepRules& keep);

void add_policy_preview(Command& group, Context& context);

}  // namespace manman::cli
