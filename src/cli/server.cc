#include "cli/id_verbs.h"
#include "cli/listing.h"
#include "cli/output.h"
#include "cli/verbs.h"

namespace manman::cli {
namespace {

const Noun kNoun{"server", "server_id"};

void add_list(CLI::App& group, Context& context) {
  CLI::App* command = add_command(group, "list", "List the servers, newest first",
                                  {"manman server list", "manman server list -o json --limit 0"});
  struct Options {
    ListOptions list;
    std::string name;
  };
  auto options = std::make_shared<Options>();
  add_list_options(command, options->list);
  command->add_option("--name", options->name, "Only the one of this name");
  on_run(command, context, [&context, options]() -> Result<int> {
    ListShape shape{"server_id",
                    {{"SERVER", "server_id"},
                     {"NAME", "name"},
                     {"ENVIRONMENT", "environment"},
                     {"STATUS", "status"},
                     {"DEFAULT", "is_default"},
                     {"LAST SEEN", "last_seen"}}};
    if (!options->name.empty())
      shape.keep = [&](const Message& item) {
        return static_cast<const v1::Server&>(item).name() == options->name;
      };
    return list_items(context, v1::ListServersRequest(), options->list, shape);
  });
}

void add_create(CLI::App& group, Context& context) {
  CLI::App* command =
      add_command(group, "create", "Register a server; one that is there is shown as it is",
                  {"manman server create rack-7 --environment prod"});
  auto request = std::make_shared<v1::RegisterServerRequest>();
  command
      ->add_option_function<std::string>(
          "name,--name", [request](const std::string& name) { request->set_name(name); },
          "Its name")
      ->required();
  command->add_option_function<std::string>(
      "--environment", [request](const std::string& text) { request->set_environment(text); },
      "The environment it belongs to");
  on_run(command, context, [&context, request]() -> Result<int> {
    const auto response = TRY(TRY(context.client())->call(*request));
    TRY(print_item(context.globals, response.server(), "server_id"));
    return kOk;
  });
}

}  // namespace

void add_server(CLI::App& app, Context& context) {
  CLI::App* group = add_group(app, "server", "Machines that run game servers");
  add_list(*group, context);
  add_get<v1::GetServerRequest>(*group, context, kNoun);
  add_create(*group, context);
  add_delete<v1::DeleteServerRequest>(*group, context, kNoun,
                                      "Delete a server that has nothing deployed");
}

}  // namespace manman::cli
