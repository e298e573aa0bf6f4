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
Result<v1::BackupVerification> run(Context& context, int64_t backup_id, bool head) {
  InterruptGuard guard;
  ProgressView view(context.globals, "verify");
  v1::VerifyBackupRequest request;
  request.set_backup_id(backup_id);
  request.set_how(head ? "head" : "full");
  v1::BackupVerification result;
  const auto take = [&](const v1::VerifyBackupResponse& message) -> Result<void> {
    view.update(bytes(message.progress_bytes()), bytes(message.total_bytes()));
    if (message.has_result()) result = message.result();
    return {};
  };
  TRY(TRY(context.client())->read(request, take, interrupted));
  return result;
}

Result<int> verify(Context& context, int64_t backup_id, bool head) {
  auto result = run(context, backup_id, head);
  if (!result && result.error().code == Code::kDataLoss && result.error().hint.empty())
    result = std::unexpected(std::move(result).error().with_hint(
        "'manman backup download' fetches the archive; " + std::string(kSalvageHint)));
  if (!result) return archive_outcome(context.globals, std::unexpected(result.error()));
  if (context.globals.json()) {
    TRY(print_item(context.globals, *result, "backup_id"));
    return kOk;
  }
  if (context.globals.quiet) return kOk;
  if (head) {
    TRY(print("backup " + std::to_string(backup_id) + " is in the store, in its size\n"));
    return kOk;
  }
  TRY(print(whole_text("backup " + std::to_string(backup_id), bytes(result->entries()),
                       bytes(result->data_size_bytes()), result->indexed(), result->sha256())));
  return kOk;
}

}  // namespace

void add_backup_verify(Command& group, Context& context) {
  Command command =
      group.command("verify",
                    "Read all of a backup's archive where it is stored, and check it. The backup "
                    "says what came of it",
                    {"manman backup verify 5 && echo good", "manman backup verify 5 --head"});
  struct Options {
    int64_t backup_id = 0;
    bool head = false;
  };
  auto options = std::make_shared<Options>();
  command.add_id("backup", options->backup_id, "The backup").required();
  command.add_flag("--head", options->head,
                   "Only whether it is there, in its size; none of it is read");
  command.on_run(
      context, [&context, options] { return verify(context, options->backup_id, options->head); });
}

}  // namespace manman::cli
