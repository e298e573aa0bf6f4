#include "db/repositories.h"
#include "db/rows.h"
#include "db/table.h"

namespace manman::db::game_configs {
namespace {

Result<GameConfigRow> to_row(const GameConfig& config) {
  GameConfigRow row;
  row.game_id = config.game_id;
  row.name = config.name;
  row.image = config.image;
  row.args_template = config.args_template;
  row.env_template = TRY(json_of("game_configs.env_template", config.env));
  row.entrypoint = TRY(json_of("game_configs.entrypoint", config.entrypoint));
  row.command = TRY(json_of("game_configs.command", config.command));
  row.data_path = config.data_path;
  row.format = config.compression.format_text();
  row.level = config.compression.level_text();
  row.profile = config.profile;
  row.handling = config.handling;
  return row;
}

Result<GameConfig> to_domain(const GameConfigRow& row) {
  GameConfig config;
  config.config_id = row.id;
  config.game_id = row.game_id;
  config.name = row.name;
  config.image = row.image;
  config.args_template = row.args_template;
  config.env = TRY(text_map_from("game_configs.env_template", row.env_template));
  config.entrypoint = TRY(texts_from("game_configs.entrypoint", row.entrypoint));
  config.command = TRY(texts_from("game_configs.command", row.command));
  config.data_path = row.data_path;
  config.compression = TRY(compression_from("game_configs", row.format, row.level));
  config.profile = row.profile;
  config.handling = row.handling;
  return config;
}

}  // namespace

Result<GameConfig> create(Transaction& tx, const GameConfig& config) {
  GameConfigRow row = TRY(to_row(config));
  TRY(check_text("game_configs.name", config.name));
  TRY(check_text("game_configs.handling", config.handling));
  TRY(require<GameRow>(tx, config.game_id));
  const Where same_name = Where()
                              .when("game_id = :game", "game", config.game_id)
                              .when("name = :name", "name", config.name);
  if (TRY(find_id<GameConfigRow>(tx, same_name))) {
    return fail(Code::kAlreadyExists, "game " + std::to_string(config.game_id) +
                                          " has a config \"" + config.name + "\" already");
  }
  return get(tx, TRY(insert(tx, std::move(row))));
}

Result<std::optional<GameConfig>> find(Transaction& tx, int64_t game_id, const std::string& name) {
  const auto id = TRY(find_id<GameConfigRow>(
      tx, Where().when("game_id = :game", "game", game_id).when("name = :name", "name", name)));
  if (!id) return std::nullopt;
  return get(tx, *id);
}

Result<GameConfig> adopt(Transaction& tx, const GameConfig& config) {
  TRY(require<GameRow>(tx, config.game_id));
  GameConfigRow row = TRY(to_row(config));
  row.id = config.config_id;
  return get(tx, TRY(adopt_row(tx, std::move(row))));
}

Result<GameConfig> get(Transaction& tx, int64_t config_id) {
  return read_one<GameConfigRow>(tx, config_id, to_domain);
}

Result<std::vector<GameConfig>> list(Transaction& tx, int64_t game_id, const Page& page) {
  Where where;
  if (game_id != 0) where.when("game_id = :game", "game", game_id);
  return read_all<GameConfigRow>(tx, where.page("config_id", page), to_domain);
}

Result<void> remove(Transaction& tx, int64_t config_id) {
  TRY((forbid_reference<GameConfigRow, ServerGameConfigRow>(tx, config_id, "game_config_id")));
  return erase_one<GameConfigRow>(tx, config_id);
}

}  // namespace manman::db::game_configs
