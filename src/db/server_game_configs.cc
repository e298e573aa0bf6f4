#include "db/conditions.h"
#include "db/repositories.h"
#include "db/rows.h"
#include "db/table.h"

namespace manman::db::server_game_configs {
namespace {

Result<ServerGameConfig> to_domain(const ServerGameConfigRow& row) {
  if (row.status != "active" && row.status != "inactive") {
    return std::unexpected(damaged("server_game_configs.status", row.status));
  }
  ServerGameConfig config;
  config.sgc_id = row.id;
  config.server_id = row.server_id;
  config.game_config_id = row.game_config_id;
  config.port_bindings =
      TRY(port_bindings_from("server_game_configs.port_bindings", row.port_bindings));
  config.active = row.status == "active";
  config.profile = row.profile;
  config.handling = row.handling;
  config.limits = limits_from(row);
  return config;
}

Result<ServerGameConfigRow> to_row(const ServerGameConfig& config) {
  ServerGameConfigRow row;
  row.id = config.sgc_id;
  row.server_id = config.server_id;
  row.game_config_id = config.game_config_id;
  row.port_bindings = TRY(json_of("server_game_configs.port_bindings", config.port_bindings));
  row.status = config.active ? "active" : "inactive";
  row.profile = config.profile;
  row.handling = config.handling;
  set_limits(config.limits, row);
  return row;
}

Result<void> forbid_live_session(Transaction& tx, int64_t sgc_id) {
  const auto live = TRY(
      find_id<SessionRow>(tx, Where().when("sgc_id = :sgc", "sgc", sgc_id).when(kSessionIsLive)));
  if (!live) return {};
  return fail(Code::kFailedPrecondition, "server game config " + std::to_string(sgc_id) +
                                             " can't be removed: session " + std::to_string(*live) +
                                             " is still alive");
}

}  // namespace

Result<ServerGameConfig> create(Transaction& tx, const ServerGameConfig& config) {
  TRY(require<ServerRow>(tx, config.server_id));
  TRY(require<GameConfigRow>(tx, config.game_config_id));
  return get(tx, TRY(insert(tx, TRY(to_row(config)))));
}

Result<ServerGameConfig> adopt(Transaction& tx, const ServerGameConfig& config) {
  TRY(require<ServerRow>(tx, config.server_id));
  TRY(require<GameConfigRow>(tx, config.game_config_id));
  return get(tx, TRY(adopt_row(tx, TRY(to_row(config)))));
}

Result<ServerGameConfig> get(Transaction& tx, int64_t sgc_id) {
  return read_one<ServerGameConfigRow>(tx, sgc_id, to_domain);
}

Result<void> update(Transaction& tx, const ServerGameConfig& config) {
  return db::update(tx, TRY(to_row(config)));
}

Result<std::vector<ServerGameConfig>> list(Transaction& tx, int64_t server_id, const Page& page) {
  Where where;
  if (server_id != 0) where.when("server_id = :server", "server", server_id);
  return read_all<ServerGameConfigRow>(tx, where.page("sgc_id", page), to_domain);
}

Result<void> remove(Transaction& tx, int64_t sgc_id) {
  TRY((forbid_reference<ServerGameConfigRow, BackupRow>(tx, sgc_id, "server_game_config_id")));
  TRY(forbid_live_session(tx, sgc_id));
  TRY(query(tx, [&](soci::session& sql) -> Result<void> {
    sql << "DELETE FROM sessions WHERE sgc_id = :sgc", soci::use(sgc_id, "sgc");
    return {};
  }));
  return erase_one<ServerGameConfigRow>(tx, sgc_id);
}

}  // namespace manman::db::server_game_configs
