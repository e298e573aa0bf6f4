#include <algorithm>
#include <utility>

#include "cli/backup_verbs.h"
#include "cli/interrupt.h"
#include "cli/listing.h"
#include "cli/output.h"
#include "cli/progress_view.h"
#include "cli/text.h"
#include "cli/wait.h"

namespace manman::cli {
namespace {

uint64_t bytes(int64_t count) {
  return static_cast<uint64_t>(std::max<int64_t>(0, count));
}

std::string name_of(int64_t drill_id) {
  return "drill " + std::to_string(drill_id);
}

// The drill once it has ended, its progress shown until then.
Result<v1::Drill> follow(Context& context, int64_t drill_id) {
  Client* client = TRY(context.client());
  InterruptGuard guard;
  ProgressView view(context.globals, name_of(drill_id));
  v1::GetDrillRequest request;
  request.set_drill_id(drill_id);
  v1::Drill drill;
  const auto waited = wait_until([&]() -> Result<bool> {
    drill = TRY(client->call(request))
    .drill();
    view.update(bytes(drill.progress_bytes()), bytes(drill.total_bytes()), drill.status());
    return drill.status() != "pending" && drill.status() != "running";
  });
  if (waited) return drill;
  view.wipe();
  if (waited.error().code == Code::kCancelled)
    return std::unexpected(Error(waited.error())
                               .in(name_of(drill_id) + " goes on")
                               .with_hint("'manman backup drills' shows how it is"));
  return std::unexpected(waited.error().in(name_of(drill_id)));
}

std::string text_of(const v1::Drill& drill) {
  std::string text;
  for (const std::string& finding : drill.findings()) text += "problem: " + escape(finding) + "\n";
  if (drill.finding_count() > drill.findings_size())
    text +=
        "problem: and " + std::to_string(drill.finding_count() - drill.findings_size()) + " more\n";
  if (drill.unexamined_count() > 0)
    text += "not examined: " + std::to_string(drill.unexamined_count()) + " files\n";
  text += "backup " + std::to_string(drill.backup_id()) + ": drill " +
          std::to_string(drill.drill_id()) + " " + drill.status();
  if (!drill.examined().empty()) text += "; it holds " + escape(drill.examined());
  return text + "\n";
}

// Its outcome, for a person, and the exit code that says it.
Result<int> show_ended(const Globals& globals, const v1::Drill& drill) {
  if (drill.status() == "given-up") {
    if (globals.json()) TRY(print_item(globals, drill, "drill_id"));
    return fail(Code::kAborted,
                name_of(drill.drill_id()) + " could not be done, which says nothing of backup " +
                    std::to_string(drill.backup_id()) + ": " + drill.error_message());
  }
  if (globals.json()) {
    TRY(print_item(globals, drill, "drill_id"));
  } else if (!globals.quiet) {
    TRY(print(text_of(drill)));
  }
  return drill.status() == "passed" ? kOk : kDamaged;
}

struct DrillOptions {
  int64_t backup_id = 0;
  int64_t server = 0;
  bool start_game = false;
  bool wait = false;
};

Result<int> drill(Context& context, const DrillOptions& options) {
  v1::DrillBackupRequest request;
  request.set_backup_id(options.backup_id);
  request.set_server_id(options.server);
  request.set_start_game(options.start_game);
  const v1::Drill ordered = TRY(TRY(context.client())->call(request))
  .drill();
  if (options.wait) return show_ended(context.globals, TRY(follow(context, ordered.drill_id())));
  TRY(print_item(context.globals, ordered, "drill_id"));
  return kOk;
}

void add_drill(Command& group, Context& context) {
  Command command = group.command(
      "drill",
      "Unpack a backup into a scratch folder of a host, examine the files of its world, and remove "
      "it again. No game is touched. The backup says what came of it",
      {"manman backup drill 5 --wait && echo restorable",
       "manman backup drill 5 --start-game --wait", "manman backup drill 5 --server 2"});
  auto options = std::make_shared<DrillOptions>();
  command.add_id("backup", options->backup_id, "The backup").required();
  command.add_id("--server", options->server,
                 "The server whose host does it (default: that of the backup's SGC)");
  command.add_flag("--start-game", options->start_game,
                   "Then start the game on what was unpacked, in no network, until it says that it "
                   "is ready (the SGC's --ready)");
  command.add_flag("--wait", options->wait,
                   "Show progress until it is done; exit 7 when what is in the backup is damaged, "
                   "1 when the drill could not be done");
  command.on_run(context, [&context, options] { return drill(context, *options); });
}

void add_list(Command& group, Context& context) {
  Command command =
      group.command("drills", "List the restore drills, newest first",
                    {"manman backup drills --sgc 1", "manman backup drills --backup 5 -o json"});
  struct Options {
    ListOptions list;
    int64_t backup = 0;
    int64_t sgc = 0;
  };
  auto options = std::make_shared<Options>();
  add_list_options(command, options->list);
  command.add_id("--backup", options->backup, "Only those of this backup");
  command.add_id("--sgc", options->sgc, "Only those of backups of this SGC");
  command.on_run(context, [&context, options]() -> Result<int> {
    v1::ListDrillsRequest request;
    request.set_backup_id(options->backup);
    request.set_server_game_config_id(options->sgc);
    const ListShape shape{"drill_id",
                          {{"DRILL", "drill_id"},
                           {"BACKUP", "backup_id"},
                           {"SGC", "server_game_config_id"},
                           {"SERVER", "server_id"},
                           {"STATUS", "status"},
                           {"CREATED", "created_at"},
                           {"PROBLEMS", "finding_count"},
                           {"REASON", "error_message"}}};
    return list_items(context, request, options->list, shape);
  });
}

}  // namespace

void add_backup_drills(Command& group, Context& context) {
  add_drill(group, context);
  add_list(group, context);
}

}  // namespace manman::cli
