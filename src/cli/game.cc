#include "cli/id_verbs.h"
#include "cli/listing.h"
#include "cli/output.h"
#include "cli/verbs.h"

namespace manman::cli {
namespace {

const Noun kNoun{"game", "game_id"};

void add_list(CLI::App& group, Context& context) {
  CLI::App* command = add_command(group, "list", "List the games, newest first",
                                  {"manman game list", "manman game list --name minecraft -q"});
  struct Options {
    ListOptions list;
    std::string name;
  };
  auto options = std::make_shared<Options>();
  add_list_options(command, options->list);
  command->add_option("--name", options->name, "Only the one of this name");
  on_run(command, context, [&context, options]() -> Result<int> {
    ListShape shape{"game_id",
                    {{"GAME", "game_id"}, {"NAME", "name"}, {"STEAM APP", "steam_app_id"}}};
    if (!options->name.empty())
      shape.keep = [&](const Message& item) {
        return static_cast<const v1::Game&>(item).name() == options->name;
      };
    return list_items(context, v1::ListGamesRequest(), options->list, shape);
  });
}

void add_create(CLI::App& group, Context& context) {
  CLI::App* command = add_command(
      group, "create", "Make a game",
      {"manman game create minecraft", "manman game create valheim --steam-app-id 896660"});
  auto request = std::make_shared<v1::CreateGameRequest>();
  command
      ->add_option_function<std::string>(
          "name,--name", [request](const std::string& name) { request->set_name(name); },
          "Its name")
      ->required();
  command->add_option_function<std::string>(
      "--steam-app-id", [request](const std::string& text) { request->set_steam_app_id(text); },
      "Its number at Steam");
  on_run(command, context, [&context, request]() -> Result<int> {
    const auto response = TRY(TRY(context.client())->call(*request));
    TRY(print_item(context.globals, response.game(), "game_id"));
    return kOk;
  });
}

}  // namespace

void add_game(CLI::App& app, Context& context) {
  CLI::App* group = add_group(app, "game", "Games that can be run");
  add_list(*group, context);
  add_get<v1::GetGameRequest>(*group, context, kNoun);
  add_create(*group, context);
  add_delete<v1::DeleteGameRequest>(*group, context, kNoun, "Delete a game that has no configs");
}

}  // namespace manman::cli
