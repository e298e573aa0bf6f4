#include "domain/origin.h"

#include "domain/game_launch.h"
#include "domain/json_fields.h"

namespace manman {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

ordered_json config_json(const Origin& origin, bool whole) {
  const GameConfig& config = origin.config;
  ordered_json body;
  body["config_id"] = config.config_id;
  body["name"] = config.name;
  body["image"] = config.image;
  body["data_path"] = config.data_path;
  body["format"] = config.compression.format_text();
  body["level"] = config.compression.level_text();
  body["profile"] = config.profile;
  if (!whole) return body;
  body["args_template"] = config.args_template;
  body["entrypoint"] = config.entrypoint;
  body["command"] = config.command;
  body["env_names"] = origin.env_names;
  body["handling"] = config.handling;
  return body;
}

std::string to_text(const Origin& origin, bool whole) {
  ordered_json body;
  body["mark"] = origin.mark;
  body["backup_id"] = origin.backup_id;
  body["session_id"] = origin.session_id;
  body["created_at"] = origin.created_at;
  body["description"] = whole ? origin.description : "";
  body["policy"] = origin.policy;
  body["server"] = {{"server_id", origin.server.server_id},
                    {"name", origin.server.name},
                    {"environment", origin.server.environment}};
  body["game"] = {{"game_id", origin.game.game_id},
                  {"name", origin.game.name},
                  {"steam_app_id", origin.game.steam_app_id}};
  body["config"] = config_json(origin, whole);
  ordered_json& sgc = body["sgc"];
  sgc["sgc_id"] = origin.sgc.sgc_id;
  sgc["port_bindings"] = port_bindings_to_json(origin.sgc.port_bindings);
  sgc["profile"] = origin.sgc.profile;
  sgc["handling"] = whole ? origin.sgc.handling : "";
  return dump(body);
}

Result<Fields> part(const Fields& fields, std::string_view name) {
  auto object = TRY(fields.object(name));
  if (!object) return std::unexpected(fields.wrong(name, "is missing"));
  return *std::move(object);
}

Result<GameConfig> config_from(const Fields& fields) {
  GameConfig config;
  config.config_id = TRY(fields.count("config_id"));
  config.name = TRY(fields.text("name"));
  config.image = TRY(fields.text_or_empty("image"));
  config.data_path = TRY(fields.text_or_empty("data_path"));
  config.compression = TRY(compression_from(fields));
  config.profile = TRY(fields.text_or_empty("profile"));
  config.args_template = TRY(fields.text_or_empty("args_template"));
  config.entrypoint = TRY(fields.texts("entrypoint"));
  config.command = TRY(fields.texts("command"));
  config.handling = TRY(fields.text_or_empty("handling"));
  return config;
}

Result<ServerGameConfig> sgc_from(const Fields& fields) {
  ServerGameConfig sgc;
  sgc.sgc_id = TRY(fields.id("sgc_id"));
  sgc.port_bindings = TRY(port_bindings_from(fields));
  sgc.profile = TRY(fields.text_or_empty("profile"));
  sgc.handling = TRY(fields.text_or_empty("handling"));
  return sgc;
}

}  // namespace

std::string Origin::to_json() const {
  std::string text = to_text(*this, true);
  return text.size() <= kMaxBytes ? text : to_text(*this, false);
}

Result<Origin> Origin::parse(std::string_view text) {
  const json body = TRY(parse_object(text));
  const Fields fields(body);
  Origin origin;
  origin.mark = TRY(fields.text_or_empty("mark"));
  origin.backup_id = TRY(fields.id("backup_id"));
  origin.session_id = TRY(fields.count("session_id"));
  origin.created_at = TRY(fields.count("created_at"));
  origin.description = TRY(fields.text_or_empty("description"));
  origin.policy = TRY(fields.text_or_empty("policy"));
  const Fields server = TRY(part(fields, "server"));
  origin.server.server_id = TRY(server.count("server_id"));
  origin.server.name = TRY(server.text("name"));
  origin.server.environment = TRY(server.text("environment"));
  const Fields game = TRY(part(fields, "game"));
  origin.game.game_id = TRY(game.count("game_id"));
  origin.game.name = TRY(game.text("name"));
  origin.game.steam_app_id = TRY(game.text_or_empty("steam_app_id"));
  const Fields config = TRY(part(fields, "config"));
  origin.config = TRY(config_from(config));
  origin.env_names = TRY(config.texts("env_names"));
  origin.sgc = TRY(sgc_from(TRY(part(fields, "sgc"))));
  return origin;
}

std::string mark_in(std::string_view origin_json) {
  const auto body = parse_object(origin_json);
  if (!body) return "";
  const auto mark = Fields(*body).text_or_empty("mark");
  return mark ? *mark : "";
}

}  // namespace manman
