#include "api/game_config_fields.h"

#include <filesystem>
#include <set>
#include <string>

#include "api/fields.h"
#include "api/shell_words.h"

namespace manman::api {
namespace {

constexpr size_t kMaxWords = 256;
constexpr size_t kMaxPorts = 100;
constexpr size_t kMaxImageBytes = 500;
constexpr size_t kMaxPathBytes = 500;
constexpr const char* kDefaultDataPath = "/data/game";
// A config travels inside every command to a host, and many commands may wait in the outbox.
constexpr size_t kMaxProgramBytes = 32 * 1024;

std::string at(std::string_view field, size_t index) {
  return std::string(field) + "[" + std::to_string(index) + "]";
}

Result<void> check_words(std::string_view field, const std::vector<std::string>& words) {
  if (words.size() > kMaxWords)
    return bad_field(field, "must be at most " + std::to_string(kMaxWords) + " words");
  for (size_t i = 0; i < words.size(); i++)
    TRY(check_text(at(field, i), words[i], kMaxProgramBytes));
  return {};
}

bool is_variable_name(std::string_view name) {
  if (name.empty() || name.size() > 256 || (name[0] >= '0' && name[0] <= '9')) return false;
  return name.find_first_not_of(
             "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_") ==
         std::string_view::npos;
}

Result<void> check_variables(const GameConfig& config) {
  if (config.env.size() > kMaxWords)
    return bad_field("env_template", "must be at most " + std::to_string(kMaxWords) + " variables");
  for (const auto& [name, value] : config.env) {
    const std::string field = "env_template[\"" + name.substr(0, 100) + "\"]";
    if (!is_variable_name(name))
      return bad_field(field,
                       "the name must be letters, digits and '_', and not begin with a digit");
    TRY(check_text(field, value, kMaxProgramBytes));
  }
  return {};
}

Result<void> check_program(const GameConfig& config) {
  TRY(check_text("image", config.image, kMaxImageBytes));
  TRY(check_words("entrypoint", config.entrypoint));
  TRY(check_words("command", config.command));
  TRY(check_text("args_template", config.args_template, kMaxProgramBytes));
  TRY(check_variables(config));
  const auto argv = TRY(argv_of(config));
  if (config.image.empty()) {
    if (argv.empty())
      return bad_field("entrypoint", "with no image, entrypoint or command must say what to run");
    if (argv[0].empty())
      return bad_field(config.entrypoint.empty() ? "command[0]" : "entrypoint[0]",
                       "must not be empty");
  }
  size_t bytes = config.args_template.size();
  for (const auto& word : argv) bytes += word.size() + 1;
  for (const auto& [name, value] : config.env) bytes += name.size() + value.size() + 2;
  if (bytes > kMaxProgramBytes)
    return bad_field("env_template", "words and variables together must be at most 32 KiB");
  return {};
}

Result<void> complete_and_check_binding(const std::string& field, PortBinding& binding) {
  const auto is_port = [](int port) { return port >= 1 && port <= 65535; };
  if (!is_port(binding.container_port))
    return bad_field(field + ".container_port", "must be 1 to 65535");
  if (!is_port(binding.host_port)) return bad_field(field + ".host_port", "must be 1 to 65535");
  if (binding.protocol.empty() || binding.protocol == "tcp") binding.protocol = "TCP";
  if (binding.protocol == "udp") binding.protocol = "UDP";
  if (binding.protocol != "TCP" && binding.protocol != "UDP")
    return bad_field(field + ".protocol", "must be TCP or UDP");
  return {};
}

// A mount point of the container.
Result<void> complete_and_check_data_path(GameConfig& config) {
  std::string& path = config.data_path;
  if (config.image.empty()) {
    if (!path.empty()) return bad_field("data_path", "is for containers; the config has no image");
    return {};
  }
  if (path.empty()) path = kDefaultDataPath;
  TRY(check_line("data_path", path));
  if (path.size() > kMaxPathBytes)
    return bad_field("data_path", "must be at most " + std::to_string(kMaxPathBytes) + " bytes");
  const std::string normal = std::filesystem::path(path).lexically_normal();
  if (!path.starts_with('/') || path.ends_with('/') || normal != path)
    return bad_field("data_path", "must be an absolute path without '..', '//' and '/' at its end");
  return {};
}

}  // namespace

Result<void> complete_and_check(GameConfig& config) {
  TRY(check_id("game_id", config.game_id));
  TRY(check_name("name", config.name));
  TRY(check_program(config));
  return complete_and_check_data_path(config);
}

Result<void> complete_and_check(std::vector<PortBinding>& bindings) {
  if (bindings.size() > kMaxPorts)
    return bad_field("port_bindings", "must be at most " + std::to_string(kMaxPorts));
  std::set<std::pair<int, std::string>> taken;
  for (size_t i = 0; i < bindings.size(); i++) {
    PortBinding& binding = bindings[i];
    TRY(complete_and_check_binding(at("port_bindings", i), binding));
    if (!taken.emplace(binding.host_port, binding.protocol).second)
      return bad_field(
          at("port_bindings", i) + ".host_port",
          std::to_string(binding.host_port) + "/" + binding.protocol + " is bound twice");
  }
  return {};
}

Result<std::vector<std::string>> argv_of(const GameConfig& config) {
  auto argv = config.entrypoint;
  argv.insert(argv.end(), config.command.begin(), config.command.end());
  auto words = in("args_template", split_shell_words(config.args_template));
  if (!words) return std::unexpected(std::move(words).error());
  argv.insert(argv.end(), words->begin(), words->end());
  return argv;
}

}  // namespace manman::api
