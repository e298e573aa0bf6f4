#include "api/fields.h"
#include "api/page_token.h"
#include "api/rpc/answer.h"
#include "api/rpc/service.h"
#include "api/rpc/to_proto.h"

namespace manman::api {
namespace {

constexpr std::string_view kList = "games";
constexpr size_t kMaxSteamIdBytes = 100;

}  // namespace

grpc::Status Service::CreateGame(grpc::ServerContext*, const v1::CreateGameRequest* request,
                                 v1::CreateGameResponse* response) {
  return answer("CreateGame", [&](const Context& context) -> Result<void> {
    TRY(check_name("name", request->name()));
    TRY(check_text("steam_app_id", request->steam_app_id(), kMaxSteamIdBytes));
    const Game game{.name = request->name(), .steam_app_id = request->steam_app_id()};
    const Game row = TRY(context.database.transact(
        [&](db::Transaction& tx) { return db::games::create(tx, game); }));
    to_proto(row, response->mutable_game());
    return {};
  });
}

grpc::Status Service::ListGames(grpc::ServerContext*, const v1::ListGamesRequest* request,
                                v1::ListGamesResponse* response) {
  return answer("ListGames", [&](const Context& context) -> Result<void> {
    const db::Page page = TRY(page_from(kList, request->page_size(), request->page_token()));
    auto rows = TRY(context.database.look(
        [&](db::Transaction& tx) { return db::games::list(tx, with_lookahead(page)); }));
    response->set_next_page_token(
        next_page_token(kList, page, rows, [](const Game& row) { return row.game_id; }));
    all_to_proto(rows, response->mutable_games());
    return {};
  });
}

grpc::Status Service::GetGame(grpc::ServerContext*, const v1::GetGameRequest* request,
                              v1::GetGameResponse* response) {
  return answer("GetGame", [&](const Context& context) -> Result<void> {
    TRY(check_id("game_id", request->game_id()));
    const Game row = TRY(context.database.look(
        [&](db::Transaction& tx) { return db::games::get(tx, request->game_id()); }));
    to_proto(row, response->mutable_game());
    return {};
  });
}

grpc::Status Service::DeleteGame(grpc::ServerContext*, const v1::DeleteGameRequest* request,
                                 v1::DeleteGameResponse*) {
  return answer("DeleteGame", [&](const Context& context) -> Result<void> {
    TRY(check_id("game_id", request->game_id()));
    return context.database.transact(
        [&](db::Transaction& tx) { return db::games::remove(tx, request->game_id()); });
  });
}

}  // namespace manman::api
