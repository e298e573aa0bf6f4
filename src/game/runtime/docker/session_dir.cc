#include "game/runtime/docker/session_dir.h"

#include "game/runtime/docker/json_file.h"

namespace manman::docker {
using nlohmann::json;

Result<SessionDir> session_dir(const GameInstance& game) {
  if (game.session_id == 0 || game.gsc_dir.empty())
    return fail(Code::kInvalidArgument, "a game needs a session id and a GSC directory");
  std::error_code error;
  const auto gsc_dir = std::filesystem::absolute(game.gsc_dir, error);
  if (error)
    return fail(Code::kInvalidArgument,
                "GSC directory " + game.gsc_dir.string() + ": " + error.message());
  return SessionDir{gsc_dir / ("session-" + std::to_string(game.session_id))};
}

Result<std::optional<std::string>> read_container_id(const SessionDir& files) {
  return read_json_file(files.container(), [](const json& value) {
    return value.at("container_id").get<std::string>();
  });
}

Result<void> write_container_id(const SessionDir& files, const std::string& id,
                                const std::string& image) {
  const json value{{"container_id", id}, {"image", image}};
  return write_file_durably(files.container(),
                            value.dump(2, ' ', false, json::error_handler_t::replace) + "\n");
}

}  // namespace manman::docker
