#include "cli/id_verbs.h"
#include "cli/listing.h"
#include "cli/output.h"
#include "cli/verbs.h"

namespace manman::cli {
namespace {

const Noun kNoun{"game", "game_id"};

void add_list(Command& group, Context& context) {
  Command command = group.command("list", "List the games, newest first",
                                  {"manman game list", "manman game list --name minecraft -q"});
  struct Options {
    ListOptions list;
    std::string name;
  };
  auto options = std::make_shared<Options>();
  add_list_options(command, options->list);
  command.add("--name", options->name, "Only the one of this name");
  command.on_run(context, [&context, options]() -> Result<int> {
    ListShape shape{"game_id",
                    {{"GAME", "game_id"}, {"NAME", "name"}, {"STEAM APP", "steam_app_id"}}};
    if (!options->name.empty())
      shape.keep = [&](const Message& item) {
        return static_cast<const v1::Game&>(item).name() == options->name;
      };
    return list_items(context, v1::ListGamesRequest(), options->list, shape);
  });
}

void add_create(Command& group, Context& context) {
  Command command = group.command(
      "create", "Make a game",
      {"manman game create minecraft", "manman game create valheim --steam-app-id 896660"});
  struct Options {
    std::string name;
    std::string steam_app_id;
  };
  auto options = std::make_shared<Options>();
  command.add("name,--name", options->name, "Its name").required();
  command.add("--steam-app-id", options->steam_app_id, "Its number at Steam");
  command.on_run(context, [&context, options]() -> Result<int> {
    v1::CreateGameRequest request;
    request.set_name(options->name);
    request.set_steam_app_id(options->steam_app_id);
    const auto response = TRY(TRY(context.client())->call(request));
    TRY(print_item(context.globals, response.game(), "game_id"));
    return kOk;
  });
}

}  // namespace

void add_game(Command& app, Context& context) {
  Command group = app.group("game", "Games that can be run");
  add_list(group, context);
  add_get<v1::GetGameRequest>(group, context, kNoun);
  add_create(group, context);
  add_delete<v1::DeleteGameRequest>(group, context, kNoun, "Delete a game that has no configs");
}

}  // namespace manman::cli
