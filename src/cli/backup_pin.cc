#include "cli/backup_verbs.h"
#include "cli/output.h"

namespace manman::cli {
namespace {

void add(Command& group, Context& context, bool pin) {
  const std::string verb = pin ? "pin" : "unpin";
  Command command = group.command(
      verb,
      pin ? "Keep a backup: no policy lets it go, and it can't be deleted"
          : "Let a pinned backup go again, when its policy does or when it is deleted",
      {"manman backup " + verb + " 5"});
  auto backup_id = std::make_shared<int64_t>(0);
  command.add_id("backup", *backup_id, "The backup").required();
  command.on_run(context, [&context, backup_id, pin]() -> Result<int> {
    v1::PinBackupRequest request;
    request.set_backup_id(*backup_id);
    request.set_unpin(!pin);
    const auto response = TRY(TRY(context.client())->call(request));
    TRY(print_item(context.globals, response.backup(), "backup_id"));
    return kOk;
  });
}

}  // namespace

void add_backup_pins(Command& group, Context& context) {
  add(group, context, true);
  add(group, context, false);
}

}  // namespace manman::cli
