#include "cli/compression_options.h"
#include "cli/config_fields.h"
#include "cli/handling_options.h"
#include "cli/id_verbs.h"
#include "cli/listing.h"
#include "cli/output.h"
#include "cli/verbs.h"

namespace manman::cli {
namespace {

const Noun kNoun{"config", "config_id"};

void add_list(Command& group, Context& context) {
  Command command = group.command("list", "List the game configs, newest first",
                                  {"manman config list", "manman config list --game 1"});
  struct Options {
    ListOptions list;
    int64_t game = 0;
    std::string name;
  };
  auto options = std::make_shared<Options>();
  add_list_options(command, options->list);
  command.add_id("--game", options->game, "Only those of this game");
  command.add("--name", options->name, "Only the ones of this name");
  command.on_run(context, [&context, options]() -> Result<int> {
    ListShape shape{"config_id",
                    {{"CONFIG", "config_id"},
                     {"GAME", "game_id"},
                     {"NAME", "name"},
                     {"PROFILE", "profile"},
                     {"IMAGE", "image"},
                     {"ENTRYPOINT", "entrypoint"},
                     {"COMMAND", "command"}}};
    if (!options->name.empty())
      shape.keep = [options](const Message& item) {
        return static_cast<const v1::GameConfig&>(item).name() == options->name;
      };
    v1::ListGameConfigsRequest request;
    request.set_game_id(options->game);
    return list_items(context, request, options->list, shape);
  });
}

struct CreateOptions {
  std::string file, name, image, data_path, args, format, level;
  int64_t game = 0;
  std::vector<std::string> entrypoint, command, env;
  HandlingOptions handling;
};

template <typename Field>
void replace(Field* field, const std::vector<std::string>& values) {
  if (!values.empty()) field->Assign(values.begin(), values.end());
}

// The file, if any, and over it what stands on the command line.
Result<v1::GameConfig> config_of(const CreateOptions& options) {
  v1::GameConfig config;
  if (!options.file.empty()) config = TRY(read_config_file(options.file));
  if (options.game != 0) config.set_game_id(options.game);
  if (!options.name.empty()) config.set_name(options.name);
  if (!options.image.empty()) config.set_image(options.image);
  if (!options.data_path.empty()) config.set_data_path(options.data_path);
  if (!options.args.empty()) config.set_args_template(options.args);
  if (!options.format.empty() && options.format != config.format()) {
    config.set_format(options.format);
    config.clear_level();  // the file's is one of another format
  }
  if (!options.level.empty()) config.set_level(options.level);
  replace(config.mutable_entrypoint(), options.entrypoint);
  replace(config.mutable_command(), options.command);
  for (const std::string& text : options.env) {
    const auto [name, value] = TRY(parse_env(text));
    (*config.mutable_env_template())[name] = value;
  }
  if (!options.handling.profile.empty()) config.set_profile(options.handling.profile);
  TRY(apply(options.handling, *config.mutable_handling()));
  if (config.game_id() == 0)
    return fail(Code::kInvalidArgument, "--game is needed: the game that the config is of");
  if (config.name().empty()) return fail(Code::kInvalidArgument, "--name is needed");
  return config;
}

void add_create_options(Command& command, CreateOptions& options) {
  command.add_id("--game", options.game, "The game it is of");
  command.add("--name", options.name, "Its name");
  command.add("--file", options.file, "A JSON file with the config; options given beside it win")
      .value("FILE");
  command.add("--image", options.image, "Container image; none: a process of the host");
  command
      .add("--data-path", options.data_path,
           "Where the container finds its save data; none: /data/game")
      .value("PATH");
  command.add("--entrypoint", options.entrypoint, "A word of the program; repeatable");
  command.add("command", options.command, "The words after the program; put -- before them");
  command.add("--args", options.args, "More arguments, split as a shell splits words");
  command.add("--env", options.env, "NAME=VALUE for its environment; repeatable");
  add_handling_options(command, options.handling);
  add_compression(command, options.format, options.level, "gz; of the archives of its backups");
}

void add_create(Command& group, Context& context) {
  Command command =
      group.command("create", "Make a game config: what to run and how to talk to it",
                    {"manman config create --game 1 --name survival --profile minecraft-java \\",
                     "    -- java -Xmx4G -jar server.jar nogui",
                     "manman config create --game 1 --name other --stop-command quit \\",
                     "    --quiesce 'hold=>^holding$' --quiesce 'flush=>^all written$=>60' \\",
                     "    --resume go-on -- ./server",
                     "manman config create --game 1 --name creative --file config.json"});
  auto options = std::make_shared<CreateOptions>();
  add_create_options(command, *options);
  command.on_run(context, [&context, options]() -> Result<int> {
    const v1::GameConfig config = TRY(config_of(*options));
    const auto response = TRY(TRY(context.client())->call(create_request(config)));
    TRY(print_item(context.globals, response.config(), "config_id"));
    return kOk;
  });
}

}  // namespace

void add_config(Command& app, Context& context) {
  Command group = app.group("config", "Game configs: what to run");
  add_list(group, context);
  add_get<v1::GetGameConfigRequest>(group, context, kNoun);
  add_create(group, context);
  add_delete<v1::DeleteGameConfigRequest>(group, context, kNoun,
                                          "Delete a game config that is not deployed");
}

}  // namespace manman::cli
