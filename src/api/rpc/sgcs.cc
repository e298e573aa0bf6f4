#include "api/fields.h"
#include "api/game_config_fields.h"
#include "api/page_token.h"
#include "api/rpc/answer.h"
#include "api/rpc/service.h"
#include "api/rpc/to_proto.h"
#include "api/sgc_state.h"

namespace manman::api {
namespace {

constexpr std::string_view kList = "server_game_configs";

Result<ServerGameConfig> sgc_from(const v1::DeployGameConfigRequest& request) {
  TRY(check_id("server_id", request.server_id()));
  TRY(check_id("game_config_id", request.game_config_id()));
  ServerGameConfig sgc{.server_id = request.server_id(),
                       .game_config_id = request.game_config_id()};
  for (const auto& binding : request.port_bindings())
    sgc.port_bindings.push_back(
        {binding.container_port(), binding.host_port(), binding.protocol()});
  TRY(complete_and_check(sgc.port_bindings));
  return sgc;
}

}  // namespace

grpc::Status Service::DeployGameConfig(grpc::ServerContext*,
                                       const v1::DeployGameConfigRequest* request,
                                       v1::DeployGameConfigResponse* response) {
  return answer("DeployGameConfig", [&](const Context& context) -> Result<void> {
    const ServerGameConfig sgc = TRY(sgc_from(*request));
    const ServerGameConfig row =
        TRY(context.database.transact([&](db::Transaction& tx) -> Result<ServerGameConfig> {
          TRY(db::servers::get(tx, sgc.server_id));
          TRY(db::game_configs::get(tx, sgc.game_config_id));
          return db::server_game_configs::create(tx, sgc);
        }));
    to_proto(row, response->mutable_config());
    return {};
  });
}

grpc::Status Service::ListServerGameConfigs(grpc::ServerContext*,
                                            const v1::ListServerGameConfigsRequest* request,
                                            v1::ListServerGameConfigsResponse* response) {
  return answer("ListServerGameConfigs", [&](const Context& context) -> Result<void> {
    TRY(check_optional_id("server_id", request->server_id()));
    const db::Page page = TRY(page_from(kList, request->page_size(), request->page_token()));
    auto rows = TRY(context.database.look([&](db::Transaction& tx) {
      return db::server_game_configs::list(tx, request->server_id(), with_lookahead(page));
    }));
    response->set_next_page_token(
        next_page_token(kList, page, rows, [](const ServerGameConfig& row) { return row.sgc_id; }));
    all_to_proto(rows, response->mutable_configs());
    return {};
  });
}

grpc::Status Service::GetServerGameConfig(grpc::ServerContext*,
                                          const v1::GetServerGameConfigRequest* request,
                                          v1::GetServerGameConfigResponse* response) {
  return answer("GetServerGameConfig", [&](const Context& context) -> Result<void> {
    TRY(check_id("server_game_config_id", request->server_game_config_id()));
    const ServerGameConfig row = TRY(context.database.look([&](db::Transaction& tx) {
      return db::server_game_configs::get(tx, request->server_game_config_id());
    }));
    to_proto(row, response->mutable_config());
    return {};
  });
}

grpc::Status Service::DeleteServerGameConfig(grpc::ServerContext*,
                                             const v1::DeleteServerGameConfigRequest* request,
                                             v1::DeleteServerGameConfigResponse*) {
  return answer("DeleteServerGameConfig", [&](const Context& context) -> Result<void> {
    TRY(check_id("server_game_config_id", request->server_game_config_id()));
    return context.database.transact([&](db::Transaction& tx) -> Result<void> {
      TRY(check_no_undo(tx, request->server_game_config_id()));
      return db::server_game_configs::remove(tx, request->server_game_config_id());
    });
  });
}

}  // namespace manman::api
