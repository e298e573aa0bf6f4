#include "cli/config_fields.h"

#include <google/protobuf/util/json_util.h>

#include <charconv>

#include "base/file.h"

namespace manman::cli {
namespace {

constexpr size_t kMaxFileBytes = 1 << 20;
constexpr std::string_view kArrow = "=>";

}  // namespace

Result<v1::QuiesceStep> parse_quiesce(const std::string& text) {
  v1::QuiesceStep step;
  const size_t arrow = text.find(kArrow);
  step.set_input(text.substr(0, arrow));
  if (step.input().empty())
    return fail(Code::kInvalidArgument,
                "--quiesce '" + text + "': wants INPUT[=>REGEX[=>SECONDS]]");
  if (arrow == std::string::npos) return step;
  std::string rest = text.substr(arrow + kArrow.size());
  if (const size_t last = rest.rfind(kArrow); last != std::string::npos) {
    const std::string_view digits = std::string_view(rest).substr(last + kArrow.size());
    int seconds = 0;
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), seconds);
    if (error == std::errc() && end == digits.data() + digits.size() && seconds > 0) {
      step.set_timeout_seconds(seconds);
      rest.resize(last);
    }
  }
  step.set_confirm_regex(rest);
  return step;
}

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
  request.set_stop_command(config.stop_command());
  request.set_stop_grace_seconds(config.stop_grace_seconds());
  *request.mutable_quiesce() = config.quiesce();
  *request.mutable_resume() = config.resume();
  request.set_data_path(config.data_path());
  request.set_format(config.format());
  request.set_level(config.level());
  return request;
}

}  // namespace manman::cli
