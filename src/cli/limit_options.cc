#include "cli/limit_options.h"

namespace manman::cli {

void add_limit_options(Command& command, LimitOptions& options) {
  command
      .add("--max-concurrent-backups", options.concurrent,
           "At most so many backups pending or running at a time")
      .range(1, 1'000'000)
      .value("N");
  command
      .add("--max-total-mib", options.total_mib,
           "No backup begins while those that are stored have come to this")
      .range(1, UINT32_MAX)
      .value("MIB");
  command
      .add("--max-manual-per-hour", options.manual_per_hour,
           "At most so many backups within 60 minutes that people ask for")
      .range(1, 1'000'000)
      .value("N");
}

void apply(const LimitOptions& options, v1::BackupLimits& limits) {
  limits.set_max_concurrent_backups(options.concurrent);
  limits.set_max_total_bytes(int64_t{options.total_mib} << 20);
  limits.set_max_manual_per_hour(options.manual_per_hour);
}

}  // namespace manman::cli
