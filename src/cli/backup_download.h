#pragma once

#include <cstdint>
#include <string>

#include "cli/context.h"

namespace manman::cli {

struct DownloadOptions {
  int64_t backup_id = 0;
  std::string file;  // "-": standard output; "": backup-5.tar.gz, in the current folder
  bool force = false;
};

// Fetches the archive; the file comes into being only when size and SHA-256 are those of the
// backup's row. What went to standard output can't be taken back: a mismatch is kDataLoss then.
Result<int> download(Context& context, const DownloadOptions& options);

}  // namespace manman::cli
