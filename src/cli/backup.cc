#include <algorithm>

#include "cli/backup_download.h"
#include "cli/backup_verbs.h"
#include "cli/backup_wait.h"
#include "cli/compression_options.h"
#include "cli/id_verbs.h"
#include "cli/listing.h"
#include "cli/output.h"
#include "cli/verbs.h"

namespace manman::cli {
namespace {

const Noun kNoun{"backup", "backup_id"};

struct CreateOptions {
  int64_t session = 0;
  int64_t sgc = 0;
  std::string description;
  std::string format;
  std::string level;
  bool wait = false;
};

Result<int> create(Context& context, const CreateOptions& options) {
  if ((options.session == 0) == (options.sgc == 0))
    return fail(Code::kInvalidArgument, "one of --session and --sgc is needed: what to back up");
  v1::CreateBackupRequest request;
  request.set_session_id(options.session);
  request.set_server_game_config_id(options.sgc);
  request.set_description(options.description);
  request.set_format(options.format);
  request.set_level(options.level);
  const auto response = TRY(TRY(context.client())->call(request));
  return show_begun(context, response.backup(), options.wait);
}

void add_create(Command& group, Context& context) {
  Command command = group.command("create", "Back up the save data of a session or an SGC",
                                  {"manman backup create --session 7 --wait",
                                   "manman backup create --sgc 1 -m 'before the update' --wait",
                                   "manman backup create --sgc 1 --format zst --level 9"});
  auto options = std::make_shared<CreateOptions>();
  command.add_id("--session", options->session, "The session whose data is backed up");
  command.add_id("--sgc", options->sgc, "Instead: the SGC, running or not");
  command.add("-m,--message", options->description, "What it is for").value("TEXT");
  add_compression(command, options->format, options->level, "as the game config says");
  add_wait(command, options->wait);
  command.on_run(context, [&context, options] { return create(context, *options); });
}

// "damaged", or how it was verified last.
std::string verified_text(const Message& item) {
  const auto& backup = static_cast<const v1::Backup&>(item);
  if (backup.verification_failed_at() != 0) return "damaged";
  return backup.verified_how().empty() ? "-" : backup.verified_how();
}

void add_list(Command& group, Context& context) {
  Command command =
      group.command("list", "List the backups, newest first",
                    {"manman backup list --sgc 1", "manman backup list -o json --limit 0"});
  struct Options {
    ListOptions list;
    int64_t sgc = 0;
    int64_t session = 0;
  };
  auto options = std::make_shared<Options>();
  add_list_options(command, options->list);
  command.add_id("--sgc", options->sgc, "Only those of this SGC");
  command.add_id("--session", options->session, "Only those of this session");
  command.on_run(context, [&context, options]() -> Result<int> {
    v1::ListBackupsRequest request;
    request.set_server_game_config_id(options->sgc);
    request.set_session_id(options->session);
    const ListShape shape{"backup_id",
                          {{"BACKUP", "backup_id"},
                           {"SGC", "server_game_config_id"},
                           {"SESSION", "session_id"},
                           {"STATUS", "status"},
                           {"CONSISTENCY", "consistency"},
                           {"VERIFIED", "verified_how", verified_text},
                           {"FORMAT", "format"},
                           {"SIZE", "size_bytes"},
                           {"CREATED", "created_at"},
                           {"DESCRIPTION", "description"},
                           {"REASON", "error_message"}}};
    return list_items(context, request, options->list, shape);
  });
}

void add_download(Command& group, Context& context) {
  Command command =
      group.command("download", "Fetch a backup's archive into a file, checked against its digest",
                    {"manman backup download 5", "manman backup download 5 world.tar.gz",
                     "manman backup download 5 - | tar tzf -"});
  auto options = std::make_shared<DownloadOptions>();
  command.add_id("backup", options->backup_id, "The backup").required();
  command.add("file", options->file,
              "Where to; - is standard output; none: backup-ID and the format's ending, here");
  command.add_flag("--force", options->force, "Replace a file that is there");
  command.on_run(context, [&context, options] { return download(context, *options); });
}

}  // namespace

void add_backup(Command& app, Context& context) {
  Command group = app.group("backup", "Backups of save data");
  add_create(group, context);
  add_list(group, context);
  add_get<v1::GetBackupRequest>(group, context, kNoun);
  add_delete<v1::DeleteBackupRequest>(group, context, kNoun, "Delete a backup and its archive");
  add_backup_cancel(group, context);
  add_backup_pins(group, context);
  add_backup_ls(group, context);
  add_backup_cat(group, context);
  add_backup_diff(group, context);
  add_backup_verify(group, context);
  add_backup_drills(group, context);
  add_download(group, context);
}

}  // namespace manman::cli
