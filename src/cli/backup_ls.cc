#include <algorithm>

#include "cli/backup_verbs.h"
#include "cli/cli.h"
#include "cli/entry_printer.h"
#include "cli/interrupt.h"

namespace manman::cli {

archive::Entry entry_from(const v1::BackupEntry& message) {
  return {.path = message.path(),
          .kind = archive::entry_kind_from(message.kind()).value_or(archive::EntryKind::kFile),
          .size_bytes = static_cast<uint64_t>(std::max<int64_t>(0, message.size_bytes())),
          .mode = message.mode(),
          .uid = message.uid(),
          .gid = message.gid(),
          .mtime_s = message.mtime_s(),
          .mtime_ns = message.mtime_ns(),
          .link_target = message.link_target()};
}

void add_backup_ls(Command& group, Context& context) {
  Command command =
      group.command("ls", "List what a backup holds, or what stands at and below one path of it",
                    {"manman backup ls 5", "manman backup ls 5 game/world/region",
                     "manman backup ls 5 -q | grep playerdata", "manman backup ls 5 -o json"});
  struct Options {
    int64_t backup_id = 0;
    std::string path;
  };
  auto options = std::make_shared<Options>();
  command.add_id("backup", options->backup_id, "The backup").required();
  command.add("path", options->path, "Only this entry and what is below it");
  command.on_run(context, [&context, options]() -> Result<int> {
    InterruptGuard guard;
    v1::ListBackupEntriesRequest request;
    request.set_backup_id(options->backup_id);
    request.set_path(options->path);
    ItemPrinter printer(context.globals);
    const auto print_all = [&](const v1::ListBackupEntriesResponse& message) -> Result<void> {
      for (const v1::BackupEntry& entry : message.entries()) TRY(printer.add(entry_from(entry)));
      return {};
    };
    TRY(TRY(context.client())->read(request, print_all, interrupted));
    TRY(printer.finish());
    return kOk;
  });
}

}  // namespace manman::cli
