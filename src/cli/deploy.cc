#include "cli/handling_options.h"
#include "cli/output.h"
#include "cli/port_binding.h"
#include "cli/verbs.h"

namespace manman::cli {
namespace {

// The server marked as default: the first that was ever registered, so the last in the list.
Result<int64_t> default_server(Client& client) {
  v1::ListServersRequest request;
  request.set_page_size(100);
  for (;;) {
    const auto page = TRY(client.call(request));
    for (const v1::Server& server : page.servers())
      if (server.is_default()) return server.server_id();
    if (page.next_page_token().empty() || page.next_page_token() == request.page_token()) break;
    request.set_page_token(page.next_page_token());
  }
  return std::unexpected(Error{Code::kNotFound, "there is no default server"}.with_hint(
      "name one with --server; 'manman server list' shows them"));
}

struct Options {
  int64_t config = 0;
  int64_t server = 0;
  std::vector<std::string> ports;
  HandlingOptions handling;
};

Result<int> deploy(Context& context, const Options& options) {
  v1::DeployGameConfigRequest request;
  request.set_game_config_id(options.config);
  for (const std::string& text : options.ports)
    *request.add_port_bindings() = TRY(parse_port(text));
  request.set_profile(options.handling.profile);
  TRY(apply(options.handling, *request.mutable_handling()));
  Client* client = TRY(context.client());
  request.set_server_id(options.server != 0 ? options.server : TRY(default_server(*client)));
  const auto response = TRY(client->call(request));
  TRY(print_item(context.globals, response.config(), "server_game_config_id"));
  return kOk;
}

}  // namespace

void add_deploy(Command& parent, const std::string& name, Context& context) {
  const std::string command_line = parent.words() + " " + name;
  Command command = parent.command(
      name, "Deploy a game config on a server (makes an SGC)",
      {command_line + " --config 1", command_line + " --config 1 --server 2 --port 25565:25565/tcp",
       command_line + " --config 1 --leave-out /dynmap/"});
  auto options = std::make_shared<Options>();
  command.add_id("--config", options->config, "The game config").required();
  command.add_id("--server", options->server, "The server; none: the default server");
  command.add("--port", options->ports, "HOST[:GAME][/tcp|/udp]; repeatable");
  add_handling_options(command, options->handling);
  command.on_run(context, [&context, options] { return deploy(context, *options); });
}

}  // namespace manman::cli
