#include "cli/id_verbs.h"
#include "cli/listing.h"
#include "cli/output.h"
#include "cli/session_wait.h"
#include "cli/text.h"
#include "cli/verbs.h"

namespace manman::cli {
namespace {

const Noun kNoun{"session", "session_id"};

void add_start(Command& group, Context& context) {
  Command command = group.command(
      "start", "Start a session of an SGC, from a backup if wanted",
      {"manman session start 1 --wait", "manman session start 1 --restore-from 5 --force --wait",
       "manman session start 1 --restore-from 5 --only game/world/playerdata --only "
       "game/ops.json"});
  struct Options {
    int64_t sgc = 0;
    int64_t restore_from = 0;
    std::vector<std::string> only;
    bool force = false;
    bool wait = false;
  };
  auto options = std::make_shared<Options>();
  command.add_id("sgc", options->sgc, "The SGC").required();
  command.add_id("--restore-from", options->restore_from,
                 "The backup whose data it starts with; what it replaces is kept for a while");
  command
      .add("--only", options->only,
           "Bring back only this file or folder of the backup, and leave the other data as it is; "
           "repeatable")
      .value("PATH");
  command.add_flag("--force", options->force, "Stop a live session of the SGC first");
  command.add_flag("--wait", options->wait, "Wait until it runs; exit 1 when it does not come up");
  command.on_run(context, [&context, options]() -> Result<int> {
    if (!options->only.empty() && options->restore_from == 0)
      return fail(Code::kInvalidArgument, "--only is for a restore: --restore-from is needed too");
    v1::StartSessionRequest request;
    for (const std::string& path : options->only) {
      if (!is_utf8(path))
        return fail(Code::kInvalidArgument,
                    "--only: '" + path + "' is not UTF-8; name the folder that it stands in");
      request.add_restore_paths(path);
    }
    request.set_server_game_config_id(options->sgc);
    request.set_restore_from_backup_id(options->restore_from);
    request.set_force(options->force);
    const auto response = TRY(TRY(context.client())->call(request));
    if (options->wait) return wait_for_running(context, response.session().session_id());
    TRY(print_item(context.globals, response.session(), "session_id"));
    return kOk;
  });
}

void add_stop(Command& group, Context& context) {
  Command command = group.command("stop", "Stop a session",
                                  {"manman session stop 7 --wait", "manman session stop 7 --kill"});
  struct Options {
    int64_t session = 0;
    bool kill = false;
    bool wait = false;
  };
  auto options = std::make_shared<Options>();
  command.add_id("session", options->session, "The session").required();
  command.add_flag("--kill", options->kill, "SIGKILL at once; what the game has not saved is lost");
  command.add_flag("--wait", options->wait, "Wait until it has ended");
  command.on_run(context, [&context, options]() -> Result<int> {
    v1::StopSessionRequest request;
    request.set_session_id(options->session);
    request.set_kill(options->kill);
    const auto response = TRY(TRY(context.client())->call(request));
    if (options->wait) return wait_for_end(context, options->session);
    TRY(print_item(context.globals, response.session(), "session_id"));
    return kOk;
  });
}

void add_list(Command& group, Context& context) {
  Command command =
      group.command("list", "List the sessions, newest first",
                    {"manman session list --live", "manman session list --sgc 1 --status crashed"});
  struct Options {
    ListOptions list;
    int64_t sgc = 0;
    int64_t server = 0;
    std::vector<std::string> statuses;
    bool live = false;
  };
  auto options = std::make_shared<Options>();
  add_list_options(command, options->list);
  command.add_id("--sgc", options->sgc, "Only those of this SGC");
  command.add_id("--server", options->server, "Only those on this server");
  command.add("--status", options->statuses, "Only those in this status; repeatable");
  command.add_flag("--live", options->live, "Only those that have not ended");
  command.on_run(context, [&context, options]() -> Result<int> {
    v1::ListSessionsRequest request;
    request.set_server_game_config_id(options->sgc);
    request.set_server_id(options->server);
    request.set_live_only(options->live);
    for (const std::string& status : options->statuses) request.add_status_filter(status);
    const ListShape shape{"session_id",
                          {{"SESSION", "session_id"},
                           {"SGC", "server_game_config_id"},
                           {"STATUS", "status"},
                           {"STARTED", "started_at"},
                           {"ENDED", "ended_at"},
                           {"EXIT", "exit_code"},
                           {"RESTORED FROM", "restored_from_backup_id"},
                           {"REASON", "error_message"}}};
    return list_items(context, request, options->list, shape);
  });
}

void add_input(Command& group, Context& context) {
  Command command = group.command("input", "Send a line to a session's console",
                                  {"manman session input 7 say hello",
                                   "manman session input 7 -- --words that begin with dashes"});
  struct Options {
    int64_t session = 0;
    std::vector<std::string> words;
    bool no_newline = false;
  };
  auto options = std::make_shared<Options>();
  command.add_id("session", options->session, "The session").required();
  command.add("text", options->words, "The line; words are joined by spaces").required();
  command.add_flag("--no-newline", options->no_newline, "Send it without a newline at the end");
  command.on_run(context, [&context, options]() -> Result<int> {
    std::string line;
    for (const std::string& word : options->words) line += (line.empty() ? "" : " ") + word;
    if (!options->no_newline) line += "\n";
    v1::SendInputRequest request;
    request.set_session_id(options->session);
    request.set_input(line);
    TRY(TRY(context.client())->call(request));
    if (context.globals.json()) TRY(print("{}\n"));
    return kOk;
  });
}

void add_undo_restore(Command& group, Context& context) {
  Command command = group.command(
      "undo-restore",
      "Put back the data that a session's restore replaced; the SGC must not be running",
      {"manman session undo-restore 8 --wait"});
  struct Options {
    int64_t session = 0;
    bool wait = false;
  };
  auto options = std::make_shared<Options>();
  command.add_id("session", options->session, "The session that was started from a backup")
      .required();
  command.add_flag("--wait", options->wait, "Wait until it is done; exit 1 when it fails");
  command.on_run(context, [&context, options]() -> Result<int> {
    v1::UndoRestoreRequest request;
    request.set_session_id(options->session);
    const auto response = TRY(TRY(context.client())->call(request));
    if (options->wait) return wait_for_undo(context, options->session);
    TRY(print_item(context.globals, response.session(), "session_id"));
    return kOk;
  });
}

}  // namespace

void add_session(Command& app, Context& context) {
  Command group = app.group("session", "Sessions: runs of an SGC");
  add_start(group, context);
  add_stop(group, context);
  add_get<v1::GetSessionRequest>(group, context, kNoun);
  add_list(group, context);
  add_input(group, context);
  add_undo_restore(group, context);
}

}  // namespace manman::cli
