#include "api/fields.h"
#include "api/game_config_fields.h"
#include "api/page_token.h"
#include "api/rpc/answer.h"
#include "api/rpc/service.h"
#include "api/rpc/to_proto.h"

namespace manman::api {
namespace {

constexpr std::string_view kList = "game_configs";

Result<GameConfig> config_from(const v1::CreateGameConfigRequest& request) {
  GameConfig config{.game_id = request.game_id(),
                    .name = request.name(),
                    .image = request.image(),
                    .args_template = request.args_template(),
                    .env = {request.env_template().begin(), request.env_template().end()},
                    .entrypoint = {request.entrypoint().begin(), request.entrypoint().end()},
                    .command = {request.command().begin(), request.command().end()},
                    .stop_command = request.stop_command(),
                    .stop_grace_seconds = request.stop_grace_seconds(),
                    .quiesce = {},
                    .resume = {request.resume().begin(), request.resume().end()},
                    .data_path = request.data_path(),
                    .compression = {}};
  config.compression = TRY(Compression::parse(request.format(), request.level()));
  for (const auto& step : request.quiesce())
    config.quiesce.push_back({step.input(), step.confirm_regex(), step.timeout_seconds()});
  TRY(complete_and_check(config));
  return config;
}

}  // namespace

grpc::Status Service::CreateGameConfig(grpc::ServerContext*,
                                       const v1::CreateGameConfigRequest* request,
                                       v1::CreateGameConfigResponse* response) {
  return answer("CreateGameConfig", [&](const Context& context) -> Result<void> {
    const GameConfig config = TRY(config_from(*request));
    const GameConfig row =
        TRY(context.database.transact([&](db::Transaction& tx) -> Result<GameConfig> {
          TRY(db::games::get(tx, config.game_id));
          return db::game_configs::create(tx, config);
        }));
    to_proto(row, response->mutable_config());
    return {};
  });
}

grpc::Status Service::ListGameConfigs(grpc::ServerContext*,
                                      const v1::ListGameConfigsRequest* request,
                                      v1::ListGameConfigsResponse* response) {
  return answer("ListGameConfigs", [&](const Context& context) -> Result<void> {
    TRY(check_optional_id("game_id", request->game_id()));
    const db::Page page = TRY(page_from(kList, request->page_size(), request->page_token()));
    auto rows = TRY(context.database.look([&](db::Transaction& tx) {
      return db::game_configs::list(tx, request->game_id(), with_lookahead(page));
    }));
    response->set_next_page_token(
        next_page_token(kList, page, rows, [](const GameConfig& row) { return row.config_id; }));
    all_to_proto(rows, response->mutable_configs());
    return {};
  });
}

grpc::Status Service::GetGameConfig(grpc::ServerContext*, const v1::GetGameConfigRequest* request,
                                    v1::GetGameConfigResponse* response) {
  return answer("GetGameConfig", [&](const Context& context) -> Result<void> {
    TRY(check_id("config_id", request->config_id()));
    const GameConfig row = TRY(context.database.look(
        [&](db::Transaction& tx) { return db::game_configs::get(tx, request->config_id()); }));
    to_proto(row, response->mutable_config());
    return {};
  });
}

grpc::Status Service::DeleteGameConfig(grpc::ServerContext*,
                                       const v1::DeleteGameConfigRequest* request,
                                       v1::DeleteGameConfigResponse*) {
  return answer("DeleteGameConfig", [&](const Context& context) -> Result<void> {
    TRY(check_id("config_id", request->config_id()));
    return context.database.transact(
        [&](db::Transaction& tx) { return db::game_configs::remove(tx, request->config_id()); });
  });
}

}  // namespace manman::api
