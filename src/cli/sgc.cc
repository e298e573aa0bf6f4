#include "cli/id_verbs.h"
#include "cli/listing.h"
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

}  // namespace

void add_sgc(Command& app, Context& context) {
  Command group = app.group("sgc", "SGCs: game configs deployed on servers");
  add_list(group, context);
  add_get<v1::GetServerGameConfigRequest>(group, context, kNoun);
  add_deploy(group, "create", context);
  add_delete<v1::DeleteServerGameConfigRequest>(
      group, context, kNoun, "Delete an SGC that has no live session and no backups");
}

}  // namespace manman::cli
