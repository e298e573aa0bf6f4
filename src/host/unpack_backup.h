#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/log.h"
#include "domain/messages.h"
#include "host/context.h"

namespace manman::host {

inline constexpr const char* kSaveData = "game";  // what all entries of an archive stand under

// Unpacks what stands under game/ in the stored archive into `target`, which is made for it,
// checking all of it (of `only` some paths, what belongs to them). kDataLoss and kInvalidArgument
// tell of the archive: it is damaged, not the one that was stored, or holds what is refused. Other
// errors do not: the store is away, say, or the disk full. What was unpacked by then is left for
// the caller to remove.
Result<void> unpack_backup(Context& context, Job& job, const StoredBackup& backup,
                           const std::filesystem::path& target,
                           const std::vector<std::string>& only = {});

// The warnings of a result, of which it holds the first.
template <typename T>
void log_warnings(const About& about, const T& result) {
  for (const std::string& warning : result.warnings) log_warn(about, "{}", warning);
  if (result.warning_count > result.warnings.size())
    log_warn(about, "and {} more like these", result.warning_count - result.warnings.size());
}

}  // namespace manman::host
