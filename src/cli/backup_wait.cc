#include "cli/backup_wait.h"

#include <algorithm>

#include "cli/interrupt.h"
#include "cli/output.h"
#include "cli/progress_view.h"
#include "cli/wait.h"

namespace manman::cli {
namespace {

uint64_t bytes(int64_t count) {
  return static_cast<uint64_t>(std::max<int64_t>(0, count));
}

// The backup once it has ended, its progress shown until then.
Result<v1::Backup> follow(Context& context, int64_t backup_id) {
  const std::string name = "backup " + std::to_string(backup_id);
  Client* client = TRY(context.client());
  InterruptGuard guard;
  ProgressView view(context.globals, name);
  v1::GetBackupRequest request;
  request.set_backup_id(backup_id);
  v1::Backup backup;
  const auto waited = wait_until([&]() -> Result<bool> {
    backup = TRY(client->call(request))
    .backup();
    view.update(bytes(backup.progress_bytes()), bytes(backup.total_bytes()), backup.status());
    return backup.status() != "pending" && backup.status() != "running";
  });
  if (waited) return backup;
  view.wipe();
  if (waited.error().code == Code::kCancelled)
    return std::unexpected(
        Error(waited.error())
            .in(name + " goes on")
            .with_hint("'manman backup get " + std::to_string(backup_id) + "' shows how it is"));
  return std::unexpected(waited.error().in(name));
}

}  // namespace

void add_wait(Command& command, bool& wait) {
  command.add_flag("--wait", wait, "Show progress until it is done; exit 1 when it fails");
}

Result<int> show_begun(Context& context, v1::Backup backup, bool wait) {
  if (wait) backup = TRY(follow(context, backup.backup_id()));
  if (!wait || backup.status() == "completed") {
    TRY(print_item(context.globals, backup, "backup_id"));
    return kOk;
  }
  return fail(Code::kAborted, "backup " + std::to_string(backup.backup_id()) + " " +
                                  backup.status() + (backup.error_message().empty() ? "" : ": ") +
                                  backup.error_message());
}

}  // namespace manman::cli
