#include "cli/id_verbs.h"
#include "cli/limit_options.h"
#include "cli/listing.h"
#include "cli/output.h"
#include "cli/verbs.h"

namespace manman::cli {
namespace {

const Noun kNoun{"server", "server_id"};

void add_list(Command& group, Context& context) {
  Command command = group.command("list", "List the servers, newest first",
                                  {"manman server list", "manman server list -o json --limit 0"});
  struct Options {
    ListOptions list;
    std::string name;
  };
  auto options = std::make_shared<Options>();
  add_list_options(command, options->list);
  command.add("--name", options->name, "Only the one of this name");
  command.on_run(context, [&context, options]() -> Result<int> {
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

void add_create(Command& group, Context& context) {
  Command command =
      group.command("create", "Register a server; one that is there is shown as it is",
                    {"manman server create rack-7 --environment prod"});
  struct Options {
    std::string name;
    std::string environment;
  };
  auto options = std::make_shared<Options>();
  command.add("name,--name", options->name, "Its name").required();
  command.add("--environment", options->environment, "The environment it belongs to");
  command.on_run(context, [&context, options]() -> Result<int> {
    v1::RegisterServerRequest request;
    request.set_name(options->name);
    request.set_environment(options->environment);
    const auto response = TRY(TRY(context.client())->call(request));
    TRY(print_item(context.globals, response.server(), "server_id"));
    return kOk;
  });
}

void add_update(Command& group, Context& context) {
  Command command = group.command(
      "update", "Change the limits of a server",
      {"manman server update 1 --max-concurrent-backups 2",
       "manman server update 1 --max-total-mib 500000", "manman server update 1 --clear limits"});
  struct Options {
    int64_t server = 0;
    std::vector<std::string> clear;
    LimitOptions limits;
  };
  auto options = std::make_shared<Options>();
  command.add_id("server", options->server, "Its id").required();
  command.add("--clear", options->clear, "limits: take all off, before what else is said here")
      .value("FIELD");
  add_limit_options(command, options->limits);
  command.on_run(context, [&context, options]() -> Result<int> {
    v1::UpdateServerRequest request;
    request.set_server_id(options->server);
    request.mutable_clear()->Assign(options->clear.begin(), options->clear.end());
    apply(options->limits, *request.mutable_limits());
    const auto response = TRY(TRY(context.client())->call(request));
    TRY(print_item(context.globals, response.server(), kNoun.id_field));
    return kOk;
  });
}

}  // namespace

void add_server(Command& app, Context& context) {
  Command group = app.group("server", "Machines that run game servers");
  add_list(group, context);
  add_get<v1::GetServerRequest>(group, context, kNoun);
  add_create(group, context);
  add_update(group, context);
  add_delete<v1::DeleteServerRequest>(group, context, kNoun,
                                      "Delete a server that has nothing deployed");
}

}  // namespace manman::cli
