#include "base/file.h"
#include "cli/backup_verbs.h"
#include "cli/interrupt.h"
#include "cli/output.h"

namespace manman::cli {

void add_backup_cat(Command& group, Context& context) {
  Command command =
      group.command("cat", "Write one file of a backup to standard output",
                    {"manman backup cat 5 game/server.properties",
                     "manman backup cat 5 game/world/level.dat > level.dat && echo whole"});
  struct Options {
    int64_t backup_id = 0;
    std::string path;
  };
  auto options = std::make_shared<Options>();
  command.add_id("backup", options->backup_id, "The backup").required();
  command.add("path", options->path, "The file's path in it, as 'backup ls' shows it").required();
  command.on_run(context, [&context, options]() -> Result<int> {
    InterruptGuard guard;
    v1::ReadBackupFileRequest request;
    request.set_backup_id(options->backup_id);
    request.set_path(options->path);
    OutputSink out;
    const auto write = [&](const v1::ReadBackupFileResponse& chunk) {
      return out.write(as_bytes(chunk.data()));
    };
    TRY(TRY(context.client())->read(request, write, interrupted));
    return kOk;
  });
}

}  // namespace manman::cli
