#include "game/runtime/docker/container_spec.h"

#include <charconv>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/sha256.h"

namespace manman::docker {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

constexpr size_t kNameHashDigits = 12;

// The log is the engine's buffer for output.log, so that of a long one the oldest may go; and no
// setting of the machine's may make it drop any other (see OutputLog).
json log_options() {
  return {{"Type", "json-file"},
          {"Config",
           {{"max-size", "32m"}, {"max-file", "3"}, {"mode", "blocking"}, {"compress", "false"}}}};
}

bool publishes(const std::string& network) {
  return network != "host" && network != "none" && !network.starts_with("container:");
}

json environment(const GameProgram& program) {
  json list = json::array();
  for (const auto& [name, value] : program.env) list.push_back(name + "=" + value);
  return list;
}

void add_ports(json& body, const GameProgram& program) {
  for (const GamePort& port : program.ports) {
    const std::string name = std::to_string(port.container_port) + (port.udp ? "/udp" : "/tcp");
    body["ExposedPorts"][name] = json::object();
    body["HostConfig"]["PortBindings"][name].push_back(
        {{"HostPort", std::to_string(port.host_port)}});
  }
}

std::string network_of(const DockerConfig& config, const GameProgram& program) {
  return program.apart ? "none" : config.network;
}

json host_config(const DockerConfig& config, const GameInstance& game, const GameProgram& program) {
  const json mount{{"Type", "bind"},
                   {"Source", (game.gsc_dir / "game").string()},
                   {"Target", program.data_path.empty() ? kDefaultDataPath : program.data_path}};
  return {{"Mounts", json::array({mount})},
          {"NetworkMode", network_of(config, program)},
          {"RestartPolicy", {{"Name", "no"}}},
          {"AutoRemove", false},
          {"LogConfig", log_options()}};
}

json body_of(const DockerConfig& config, const GameInstance& game, const GameProgram& program) {
  const auto command = program.argv.begin() + static_cast<ptrdiff_t>(program.entrypoint_words);
  json body{{"Image", program.image},
            {"Env", environment(program)},
            {"Labels", session_labels(config, game)},
            {"OpenStdin", true},
            {"StdinOnce", false},
            {"Tty", false},
            {"HostConfig", host_config(config, game, program)}};
  if (command != program.argv.begin())
    body["Entrypoint"] = std::vector<std::string>(program.argv.begin(), command);
  if (command != program.argv.end())
    body["Cmd"] = std::vector<std::string>(command, program.argv.end());
  if (publishes(network_of(config, program))) add_ports(body, program);
  return body;
}

Result<void> check(const GameProgram& program) {
  if (program.image.empty()) return fail(Code::kInvalidArgument, "a container needs an image");
  if (program.entrypoint_words > program.argv.size())
    return fail(Code::kInvalidArgument, "the entrypoint has more words than there are");
  return {};
}

int64_t number_in(const Labels& labels, const char* name) {
  const auto found = labels.find(name);
  int64_t number = 0;
  if (found == labels.end()) return 0;
  const std::string& text = found->second;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? number : 0;
}

}  // namespace

std::string container_name(const DockerConfig& config, const GameInstance& game) {
  const std::string hash = to_hex(Sha256::of(as_bytes(config.data_dir.string())));
  return "manman-" + std::to_string(game.sgc_id) + "-" + std::to_string(game.session_id) + "-" +
         hash.substr(0, kNameHashDigits);
}

Labels host_labels(const DockerConfig& config) {
  return {{"manman.type", "game"},
          {"manman.server_id", std::to_string(config.server_id)},
          {"manman.data_dir", config.data_dir.string()}};
}

Labels session_labels(const DockerConfig& config, const GameInstance& game) {
  Labels labels = host_labels(config);
  labels["manman.session_id"] = std::to_string(game.session_id);
  labels["manman.sgc_id"] = std::to_string(game.sgc_id);
  labels["manman.gsc_dir"] = game.gsc_dir.string();
  return labels;
}

std::optional<GameInstance> instance_of(const DockerConfig& config, const Labels& labels) {
  const auto gsc_dir = labels.find("manman.gsc_dir");
  if (gsc_dir == labels.end()) return std::nullopt;
  const GameInstance game{number_in(labels, "manman.session_id"),
                          number_in(labels, "manman.sgc_id"), gsc_dir->second};
  const fs::path parent = game.session_id < 0 ? config.data_dir / kDrills : config.data_dir;
  if (game.session_id == 0 || game.sgc_id <= 0 || game.gsc_dir.parent_path() != parent)
    return std::nullopt;
  // An image may have labels beside ours.
  for (const auto& [name, value] : session_labels(config, game)) {
    const auto found = labels.find(name);
    if (found == labels.end() || found->second != value) return std::nullopt;
  }
  return game;
}

Result<std::string> container_spec(const DockerConfig& config, const GameInstance& game,
                                   const GameProgram& program) {
  TRY(check(program));
  try {
    return body_of(config, game, program).dump();
  } catch (const json::exception& error) {
    return fail(Code::kInvalidArgument,
                std::string("the game config can't be told to Docker: ") + error.what());
  }
}

}  // namespace manman::docker
