#include "cli/backup_verbs.h"
#include "cli/output.h"

namespace manman::cli {

void add_backup_cancel(Command& group, Context& context) {
  Command command = group.command(
      "cancel", "Give up a backup that has not ended; its host leaves nothing of it",
      {"manman backup cancel 5", "manman backup cancel 5 -o json; echo $?   # 4: it has ended"});
  auto backup_id = std::make_shared<int64_t>(0);
  command.add_id("backup", *backup_id, "The backup").required();
  command.on_run(context, [&context, backup_id]() -> Result<int> {
    v1::CancelBackupRequest request;
    request.set_backup_id(*backup_id);
    const auto response = TRY(TRY(context.client())->call(request));
    TRY(print_item(context.globals, response.backup(), "backup_id"));
    return kOk;
  });
}

}  // namespace manman::cli
