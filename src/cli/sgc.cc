#include "cli/handling_options.h"
#include "cli/id_verbs.h"
#include "cli/limit_options.h"
#include "cli/listing.h"
#include "cli/output.h"
#include "cli/port_binding.h"
#include "cli/verbs.h"

namespace manman::cli {
namespace {

const Noun kNoun{"sgc", "server_game_config_id"};

std::string ports_text(const Message& item) {
  std::string text;
  for (const auto& binding : static_cast<const v1::ServerGameConfig&>(item).port_bindings())
    text += (text.empty() ? "" : " ") + port_text(binding);
  return text.empty() ? "-" : text;
}

void add_list(Command& group, Context& context) {
  Command command = group.command("list", "List the deployed game configs, newest first",
                                  {"manman sgc list", "manman sgc list --server 1 --config 3"});
  struct Options {
    ListOptions list;
    int64_t server = 0;
    int64_t config = 0;
  };
  auto options = std::make_shared<Options>();
  add_list_options(command, options->list);
  command.add_id("--server", options->server, "Only those on this server");
  command.add_id("--config", options->config, "Only those of this game config");
  command.on_run(context, [&context, options]() -> Result<int> {
    ListShape shape{"server_game_config_id",
                    {{"SGC", "server_game_config_id"},
                     {"SERVER", "server_id"},
                     {"CONFIG", "game_config_id"},
                     {"STATUS", "status"},
                     {"PROFILE", "profile"},
                     {"PORTS", "port_bindings", ports_text}}};
    if (options->config != 0)
      shape.keep = [options](const Message& item) {
        return static_cast<const v1::ServerGameConfig&>(item).game_config_id() == options->config;
      };
    v1::ListServerGameConfigsRequest request;
    request.set_server_id(options->server);
    return list_items(context, request, options->list, shape);
  });
}

void add_update(Command& group, Context& context) {
  Command command =
      group.command("update", "Change how the game of an SGC is handled, and its limits",
                    {"manman sgc update 1 --profile minecraft-java",
                     "manman sgc update 1 --leave-out /dynmap/ --max-pause 20",
                     "manman sgc update 1 --clear leave_out --clear profile",
                     "manman sgc update 1 --max-total-mib 20000"});
  struct Options {
    int64_t sgc = 0;
    std::vector<std::string> clear;
    HandlingOptions handling;
    LimitOptions limits;
  };
  auto options = std::make_shared<Options>();
  command.add_id("sgc", options->sgc, "Its id").required();
  command
      .add("--clear", options->clear,
           "Say nothing of this field any more (profile, limits, a field of 'handling' in "
           "'sgc get', or all of that); repeatable, and before what else is said here")
      .value("FIELD");
  add_handling_options(command, options->handling);
  add_limit_options(command, options->limits);
  command.on_run(context, [&context, options]() -> Result<int> {
    v1::UpdateServerGameConfigRequest request;
    request.set_server_game_config_id(options->sgc);
    request.mutable_clear()->Assign(options->clear.begin(), options->clear.end());
    request.set_profile(options->handling.profile);
    TRY(apply(options->handling, *request.mutable_handling()));
    apply(options->limits, *request.mutable_limits());
    const auto response = TRY(TRY(context.client())->call(request));
    TRY(print_item(context.globals, response.config(), kNoun.id_field));
    return kOk;
  });
}

}  // namespace

void add_sgc(Command& app, Context& context) {
  Command group = app.group("sgc", "SGCs: game configs deployed on servers");
  add_list(group, context);
  add_get<v1::GetServerGameConfigRequest>(group, context, kNoun);
  add_deploy(group, "create", context);
  add_update(group, context);
  add_delete<v1::DeleteServerGameConfigRequest>(
      group, context, kNoun, "Delete an SGC that has no live session and no backups");
}

}  // namespace manman::cli
