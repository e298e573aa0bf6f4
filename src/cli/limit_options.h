#pragma once

#include <cstdint>

#include "cli/command.h"
#include "manman/v1/manman.pb.h"

// The options that bound the backups of an SGC or a server.
namespace manman::cli {

struct LimitOptions {  // 0 is not said
  int concurrent = 0;
  uint32_t total_mib = 0;
  int manual_per_hour = 0;
};

void add_limit_options(Command& command, LimitOptions& options);
void apply(const LimitOptions& options, v1::BackupLimits& limits);

}  // namespace manman::cli
