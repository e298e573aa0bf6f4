#include "domain/game_launch.h"

#include "domain/handling_json.h"

namespace manman {
namespace {

constexpr int kMaxPort = 65535;

Result<int> port_from(const Fields& binding, const char* name) {
  const int port = TRY(binding.integer(name, 1, kMaxPort, 0));
  if (port == 0) return std::unexpected(binding.wrong(name, "is missing"));
  return port;
}

}  // namespace

Result<std::vector<PortBinding>> port_bindings_from(const Fields& launch) {
  std::vector<PortBinding> bindings;
  for (const Fields& fields : TRY(launch.objects("port_bindings"))) {
    PortBinding binding;
    binding.container_port = TRY(port_from(fields, "container_port"));
    binding.host_port = TRY(port_from(fields, "host_port"));
    binding.protocol = TRY(fields.text("protocol"));
    bindings.push_back(std::move(binding));
  }
  return bindings;
}

nlohmann::ordered_json port_bindings_to_json(const std::vector<PortBinding>& bindings) {
  auto ports = nlohmann::ordered_json::array();
  for (const PortBinding& binding : bindings) {
    ports.push_back({{"container_port", binding.container_port},
                     {"host_port", binding.host_port},
                     {"protocol", binding.protocol}});
  }
  return ports;
}

nlohmann::ordered_json launch_to_json(const GameLaunch& launch) {
  nlohmann::ordered_json body;
  body["environment"] = launch.environment;
  body["image"] = launch.image;
  body["argv"] = launch.argv;
  body["entrypoint_words"] = launch.entrypoint_words;
  body["env"] = launch.env;
  add_handling(launch.handling, body);
  body["data_path"] = launch.data_path;
  body["port_bindings"] = port_bindings_to_json(launch.port_bindings);
  return body;
}

Result<GameLaunch> launch_from(const Fields& command) {
  GameLaunch launch;
  const auto fields = TRY(command.object("launch"));
  if (!fields) return launch;
  launch.environment = TRY(fields->text_or_empty("environment"));
  launch.image = TRY(fields->text_or_empty("image"));
  launch.argv = TRY(fields->texts("argv"));
  launch.entrypoint_words =
      TRY(fields->integer("entrypoint_words", 0, static_cast<int>(launch.argv.size()), 0));
  launch.env = TRY(fields->text_map("env"));
  launch.handling = TRY(handling_from(*fields));
  launch.data_path = TRY(fields->text_or_empty("data_path"));
  launch.port_bindings = TRY(port_bindings_from(*fields));
  return launch;
}

}  // namespace manman
