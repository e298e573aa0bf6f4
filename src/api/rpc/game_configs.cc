#include "api/events.h"
#include "api/fields.h"
#include "api/game_config_fields.h"
#include "api/handling_fields.h"
#include "api/page_token.h"
#include "api/rpc/answer.h"
#include "api/rpc/service.h"
#include "api/rpc/to_proto.h"

namespace manman::api {
namespace {

constexpr std::string_view kList = "game_configs";

// What the request says of the handling, in either place.
v1::Handling handling_in(const v1::CreateGameConfigRequest& request) {
  v1::Handling said = request.handling();
  if (!said.has_stop_command() && !request.stop_command().empty())
    said.set_stop_command(request.stop_command());
  if (!said.has_stop_grace_seconds() && request.stop_grace_seconds() != 0)
    said.set_stop_grace_seconds(request.stop_grace_seconds());
  if (said.quiesce_size() == 0 && said.resume_size() == 0 && !said.no_quiesce()) {
    *said.mutable_quiesce() = request.quiesce();
    *said.mutable_resume() = request.resume();
  }
  return said;
}

std::string text_of(const GameConfig& config) {
  return "game config " + std::to_string(config.config_id) + ", " + config.name;
}

Result<GameConfig> config_from(const Profiles& profiles,
                               const v1::CreateGameConfigRequest& request) {
  GameConfig config{.game_id = request.game_id(),
                    .name = request.name(),
                    .image = request.image(),
                    .args_template = request.args_template(),
                    .env = {request.env_template().begin(), request.env_template().end()},
                    .entrypoint = {request.entrypoint().begin(), request.entrypoint().end()},
                    .command = {request.command().begin(), request.command().end()},
                    .data_path = request.data_path(),
                    .compression = {},
                    .profile = request.profile(),
                    .handling = {}};
  config.compression = TRY(Compression::parse(request.format(), request.level()));
  config.handling = TRY(layer_from(handling_in(request)));
  TRY(complete_and_check(config));
  TRY(effective_handling(profiles, config));
  return config;
}

}  // namespace

grpc::Status Service::CreateGameConfig(grpc::ServerContext* call,
                                       const v1::CreateGameConfigRequest* request,
                                       v1::CreateGameConfigResponse* response) {
  return answer(call, "CreateGameConfig", [&](const Context& context) -> Result<void> {
    const GameConfig config = TRY(config_from(context.config.profiles, *request));
    const GameConfig row =
        TRY(context.database.transact([&](db::Transaction& tx) -> Result<GameConfig> {
          TRY(db::games::get(tx, config.game_id));
          GameConfig made = TRY(db::game_configs::create(tx, config));
          TRY(note_event(context, tx,
                         {.kind = EventKind::kGameConfigCreated, .message = text_of(made)}));
          return made;
        }));
    to_proto(context.config.profiles, row, response->mutable_config());
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
    for (const GameConfig& row : rows)
      to_proto(context.config.profiles, row, response->add_configs());
    return {};
  });
}

grpc::Status Service::GetGameConfig(grpc::ServerContext*, const v1::GetGameConfigRequest* request,
                                    v1::GetGameConfigResponse* response) {
  return answer("GetGameConfig", [&](const Context& context) -> Result<void> {
    TRY(check_id("config_id", request->config_id()));
    const GameConfig row = TRY(context.database.look(
        [&](db::Transaction& tx) { return db::game_configs::get(tx, request->config_id()); }));
    to_proto(context.config.profiles, row, response->mutable_config());
    return {};
  });
}

grpc::Status Service::DeleteGameConfig(grpc::ServerContext* call,
                                       const v1::DeleteGameConfigRequest* request,
                                       v1::DeleteGameConfigResponse*) {
  return answer(call, "DeleteGameConfig", [&](const Context& context) -> Result<void> {
    TRY(check_id("config_id", request->config_id()));
    return context.database.transact([&](db::Transaction& tx) -> Result<void> {
      const GameConfig config = TRY(db::game_configs::get(tx, request->config_id()));
      TRY(note_event(context, tx,
                     {.kind = EventKind::kGameConfigDeleted, .message = text_of(config)}));
      return db::game_configs::remove(tx, config.config_id);
    });
  });
}

}  // namespace manman::api
