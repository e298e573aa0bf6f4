#include "cli/config_fields.h"

#include <google/protobuf/util/json_util.h>

#include "base/file.h"

namespace manman::cli {
namespace {

constexpr size_t kMaxFileBytes = 1 << 20;

// What a file of an earlier version says in the older place of the handling's fields.
void lift_handling(v1::GameConfig& config) {
  if (config.has_handling()) return;  // one that 'config get' printed: there they show what counts
  v1::Handling& said = *config.mutable_handling();
  if (!config.stop_command().empty()) said.set_stop_command(config.stop_command());
  if (config.stop_grace_seconds() != 0) said.set_stop_grace_seconds(config.stop_grace_seconds());
  *said.mutable_quiesce() = config.quiesce();
  *said.mutable_resume() = config.resume();
}

}  // namespace

Result<std::pair<std::string, std::string>> parse_env(const std::string& text) {
  const size_t equals = text.find('=');
  if (equals == 0 || equals == std::string::npos)
    return fail(Code::kInvalidArgument, "--env '" + text + "': wants NAME=VALUE");
  return std::pair(text.substr(0, equals), text.substr(equals + 1));
}

Result<v1::GameConfig> read_config_file(const std::filesystem::path& path) {
  const std::string text = TRY(read_file(path, kMaxFileBytes));
  v1::GameConfig config;
  const auto status = google::protobuf::util::JsonStringToMessage(text, &config);
  if (!status.ok())
    return fail(Code::kInvalidArgument,
                "--file " + path.string() + ": " + std::string(status.message()));
  lift_handling(config);
  return config;
}

v1::CreateGameConfigRequest create_request(const v1::GameConfig& config) {
  v1::CreateGameConfigRequest request;
  request.set_game_id(config.game_id());
  request.set_name(config.name());
  request.set_image(config.image());
  request.set_args_template(config.args_template());
  *request.mutable_env_template() = config.env_template();
  *request.mutable_entrypoint() = config.entrypoint();
  *request.mutable_command() = config.command();
  request.set_profile(config.profile());
  const v1::Handling& handling = config.handling();
  *request.mutable_handling() = handling;
  // In their older place too, for a service that knows no other.
  request.set_stop_command(handling.stop_command());
  request.set_stop_grace_seconds(handling.stop_grace_seconds());
  *request.mutable_quiesce() = handling.quiesce();
  *request.mutable_resume() = handling.resume();
  request.set_data_path(config.data_path());
  request.set_format(config.format());
  request.set_level(config.level());
  return request;
}

}  // namespace manman::cli
