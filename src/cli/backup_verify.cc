#include <algorithm>

#include "cli/archive_verbs.h"
#include "cli/backup_verbs.h"
#include "cli/interrupt.h"
#include "cli/output.h"
#include "cli/progress_view.h"
#include "cli/text.h"

namespace manman::cli {
namespace {

uint64_t bytes(int64_t count) {
  return static_cast<uint64_t>(std::max<int64_t>(0, count));
}

// The result in the service's last message.
Result<v1::BackupVerification> run(Context& context, int64_t backup_id) {
  InterruptGuard guard;
  ProgressView view(context.globals, "verify");
  v1::VerifyBackupRequest request;
  request.set_backup_id(backup_id);
  v1::BackupVerification result;
  const auto take = [&](const v1::VerifyBackupResponse& message) -> Result<void> {
    view.update(bytes(message.progress_bytes()), bytes(message.total_bytes()));
    if (message.has_result()) result = message.result();
    return {};
  };
  TRY(TRY(context.client())->read(request, take, interrupted));
  return result;
}

Result<int> verify(Context& context, int64_t backup_id) {
  auto result = run(context, backup_id);
  if (!result && result.error().code == Code::kDataLoss && result.error().hint.empty())
    result = std::unexpected(std::move(result).error().with_hint(
        "'manman backup download' fetches the archive; " + std::string(kSalvageHint)));
  if (!result) return archive_outcome(context.globals, std::unexpected(result.error()));
  if (context.globals.json()) {
    TRY(print_item(context.globals, *result, "backup_id"));
    return kOk;
  }
  if (context.globals.quiet) return kOk;
  TRY(print(whole_text("backup " + std::to_string(backup_id), bytes(result->entries()),
                       bytes(result->data_size_bytes()), result->indexed(), result->sha256())));
  return kOk;
}

}  // namespace

void add_backup_verify(Command& group, Context& context) {
  Command command =
      group.command("verify", "Read all of a backup's archive where it is stored, and check it",
                    {"manman backup verify 5 && echo good", "manman backup verify 5 -o json"});
  auto backup_id = std::make_shared<int64_t>(0);
  command.add_id("backup", *backup_id, "The backup").required();
  command.on_run(context, [&context, backup_id] { return verify(context, *backup_id); });
}

}  // namespace manman::cli
