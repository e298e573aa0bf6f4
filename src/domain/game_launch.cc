#include "domain/game_launch.h"

namespace manman {
namespace {

constexpr int kMaxPort = 65535;
constexpr int kDaySeconds = 24 * 60 * 60;  // no game takes longer to stop or to flush

Result<std::vector<QuiesceStep>> quiesce_from(const Fields& launch) {
  std::vector<QuiesceStep> steps;
  for (const Fields& fields : TRY(launch.objects("quiesce"))) {
    QuiesceStep step;
    step.input = TRY(fields.text_or_empty("input"));
    step.confirm_regex = TRY(fields.text_or_empty("confirm_regex"));
    step.timeout_seconds =
        TRY(fields.integer("timeout_seconds", 0, kDaySeconds, step.timeout_seconds));
    steps.push_back(std::move(step));
  }
  return steps;
}

Result<int> port_from(const Fields& binding, const char* name) {
  const int port = TRY(binding.integer(name, 1, kMaxPort, 0));
  if (port == 0) return std::unexpected(binding.wrong(name, "is missing"));
  return port;
}

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

}  // namespace

nlohmann::ordered_json launch_to_json(const GameLaunch& launch) {
  auto quiesce = nlohmann::ordered_json::array();
  for (const QuiesceStep& step : launch.quiesce) {
    quiesce.push_back({{"input", step.input},
                       {"confirm_regex", step.confirm_regex},
                       {"timeout_seconds", step.timeout_seconds}});
  }
  auto ports = nlohmann::ordered_json::array();
  for (const PortBinding& binding : launch.port_bindings) {
    ports.push_back({{"container_port", binding.container_port},
                     {"host_port", binding.host_port},
                     {"protocol", binding.protocol}});
  }
  nlohmann::ordered_json body;
  body["environment"] = launch.environment;
  body["image"] = launch.image;
  body["argv"] = launch.argv;
  body["entrypoint_words"] = launch.entrypoint_words;
  body["env"] = launch.env;
  body["stop_command"] = launch.stop_command;
  body["stop_grace_seconds"] = launch.stop_grace_seconds;
  body["quiesce"] = std::move(quiesce);
  body["resume"] = launch.resume;
  body["data_path"] = launch.data_path;
  body["port_bindings"] = std::move(ports);
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
  launch.stop_command = TRY(fields->text_or_empty("stop_command"));
  launch.stop_grace_seconds =
      TRY(fields->integer("stop_grace_seconds", 0, kDaySeconds, launch.stop_grace_seconds));
  launch.quiesce = TRY(quiesce_from(*fields));
  launch.resume = TRY(fields->texts("resume"));
  launch.data_path = TRY(fields->text_or_empty("data_path"));
  launch.port_bindings = TRY(port_bindings_from(*fields));
  return launch;
}

}  // namespace manman
