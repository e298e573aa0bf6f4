#include <map>
#include <optional>

#include "api/events.h"
#include "api/fields.h"
#include "api/game_config_fields.h"
#include "api/handling_fields.h"
#include "api/limits.h"
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
  sgc.profile = request.profile();
  sgc.handling = TRY(layer_from(request.handling()));
  return sgc;
}

// An SGC with the game config that it is of.
struct Deployed {
  ServerGameConfig sgc;
  GameConfig config;
};

Result<Deployed> deployed(db::Transaction& tx, ServerGameConfig sgc) {
  GameConfig config = TRY(db::game_configs::get(tx, sgc.game_config_id));
  return Deployed{std::move(sgc), std::move(config)};
}

Result<void> note(const Context& context, db::Transaction& tx, EventKind kind,
                  const Deployed& row) {
  return note_event(
      context, tx,
      {.kind = kind,
       .server_id = row.sgc.server_id,
       .sgc_id = row.sgc.sgc_id,
       .message = "game config " + std::to_string(row.config.config_id) + ", " + row.config.name});
}

void show(const Profiles& profiles, const Deployed& row, v1::ServerGameConfig* message) {
  to_proto(row.sgc, message);
  if (const auto handling = effective_handling(profiles, row.config, row.sgc))
    to_proto(*handling, message->mutable_effective_handling());
}

// The names to clear that are of handling; "limits" among them are taken off here.
google::protobuf::RepeatedPtrField<std::string> without_limits(
    const google::protobuf::RepeatedPtrField<std::string>& names, BackupLimits& limits) {
  google::protobuf::RepeatedPtrField<std::string> others;
  for (const std::string& name : names) {
    if (name == "limits")
      limits = {};
    else
      *others.Add() = name;
  }
  return others;
}

Result<Deployed> update(const Profiles& profiles, db::Transaction& tx,
                        const v1::UpdateServerGameConfigRequest& request) {
  Deployed row =
      TRY(deployed(tx, TRY(db::server_game_configs::get(tx, request.server_game_config_id()))));
  v1::Handling said;
  layer_to_proto(row.sgc.handling, &said);
  TRY(change_handling(without_limits(request.clear(), row.sgc.limits), request.handling(), said));
  row.sgc.handling = TRY(layer_from(said));
  for (const std::string& name : request.clear())
    if (name == "profile" || name == "all") row.sgc.profile.clear();
  TRY(change_limits(request.limits(), row.sgc.limits));
  if (!request.profile().empty()) row.sgc.profile = request.profile();
  TRY(effective_handling(profiles, row.config, row.sgc));
  TRY(db::server_game_configs::update(tx, row.sgc));
  return row;
}

}  // namespace

grpc::Status Service::DeployGameConfig(grpc::ServerContext* call,
                                       const v1::DeployGameConfigRequest* request,
                                       v1::DeployGameConfigResponse* response) {
  return answer(call, "DeployGameConfig", [&](const Context& context) -> Result<void> {
    const ServerGameConfig sgc = TRY(sgc_from(*request));
    const Deployed row =
        TRY(context.database.transact([&](db::Transaction& tx) -> Result<Deployed> {
          TRY(db::servers::get(tx, sgc.server_id));
          Deployed made = TRY(deployed(tx, sgc));
          TRY(effective_handling(context.config.profiles, made.config, sgc));
          made.sgc = TRY(db::server_game_configs::create(tx, sgc));
          TRY(note(context, tx, EventKind::kSgcCreated, made));
          return made;
        }));
    show(context.config.profiles, row, response->mutable_config());
    return {};
  });
}

grpc::Status Service::ListServerGameConfigs(grpc::ServerContext*,
                                            const v1::ListServerGameConfigsRequest* request,
                                            v1::ListServerGameConfigsResponse* response) {
  return answer("ListServerGameConfigs", [&](const Context& context) -> Result<void> {
    TRY(check_optional_id("server_id", request->server_id()));
    const db::Page page = TRY(page_from(kList, request->page_size(), request->page_token()));
    std::map<int64_t, GameConfig> configs;  // most SGCs are of few configs
    auto rows = TRY(
        context.database.look([&](db::Transaction& tx) -> Result<std::vector<ServerGameConfig>> {
          auto found =
              TRY(db::server_game_configs::list(tx, request->server_id(), with_lookahead(page)));
          for (const ServerGameConfig& row : found)
            if (!configs.contains(row.game_config_id))
              configs[row.game_config_id] = TRY(db::game_configs::get(tx, row.game_config_id));
          return found;
        }));
    response->set_next_page_token(
        next_page_token(kList, page, rows, [](const ServerGameConfig& row) { return row.sgc_id; }));
    for (const ServerGameConfig& row : rows)
      show(context.config.profiles, {row, configs[row.game_config_id]}, response->add_configs());
    return {};
  });
}

grpc::Status Service::GetServerGameConfig(grpc::ServerContext*,
                                          const v1::GetServerGameConfigRequest* request,
                                          v1::GetServerGameConfigResponse* response) {
  return answer("GetServerGameConfig", [&](const Context& context) -> Result<void> {
    TRY(check_id("server_game_config_id", request->server_game_config_id()));
    std::optional<Backup> restorable;
    const Deployed row = TRY(context.database.look([&](db::Transaction& tx) -> Result<Deployed> {
      restorable = TRY(db::backups::restorable(tx, request->server_game_config_id()));
      return deployed(tx, TRY(db::server_game_configs::get(tx, request->server_game_config_id())));
    }));
    show(context.config.profiles, row, response->mutable_config());
    if (!restorable) return {};
    response->mutable_config()->set_restorable_as_of(restorable->created_at);
    response->mutable_config()->set_restorable_backup_id(restorable->backup_id);
    return {};
  });
}

grpc::Status Service::UpdateServerGameConfig(grpc::ServerContext* call,
                                             const v1::UpdateServerGameConfigRequest* request,
                                             v1::UpdateServerGameConfigResponse* response) {
  return answer(call, "UpdateServerGameConfig", [&](const Context& context) -> Result<void> {
    TRY(check_id("server_game_config_id", request->server_game_config_id()));
    const Deployed row =
        TRY(context.database.transact([&](db::Transaction& tx) -> Result<Deployed> {
          Deployed made = TRY(update(context.config.profiles, tx, *request));
          TRY(note(context, tx, EventKind::kSgcUpdated, made));
          return made;
        }));
    show(context.config.profiles, row, response->mutable_config());
    return {};
  });
}

grpc::Status Service::DeleteServerGameConfig(grpc::ServerContext* call,
                                             const v1::DeleteServerGameConfigRequest* request,
                                             v1::DeleteServerGameConfigResponse*) {
  return answer(call, "DeleteServerGameConfig", [&](const Context& context) -> Result<void> {
    TRY(check_id("server_game_config_id", request->server_game_config_id()));
    return context.database.transact([&](db::Transaction& tx) -> Result<void> {
      const auto sgc = TRY(db::server_game_configs::get(tx, request->server_game_config_id()));
      TRY(check_no_undo(tx, sgc.sgc_id));
      TRY(note(context, tx, EventKind::kSgcDeleted, TRY(deployed(tx, sgc))));
      return db::server_game_configs::remove(tx, request->server_game_config_id());
    });
  });
}

}  // namespace manman::api
