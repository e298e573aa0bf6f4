#include "api/events.h"
#include "api/fields.h"
#include "api/page_token.h"
#include "api/rpc/answer.h"
#include "api/rpc/service.h"
#include "api/rpc/to_proto.h"

namespace manman::api {
namespace {

constexpr std::string_view kList = "games";
constexpr size_t kMaxSteamIdBytes = 100;

std::string text_of(const Game& game) {
  return "game " + std::to_string(game.game_id) + ", " + game.name;
}

}  // namespace

grpc::Status Service::CreateGame(grpc::ServerContext* call, const v1::CreateGameRequest* request,
                                 v1::CreateGameResponse* response) {
  return answer(call, "CreateGame", [&](const Context& context) -> Result<void> {
    TRY(check_name("name", request->name()));
    TRY(check_text("steam_app_id", request->steam_app_id(), kMaxSteamIdBytes));
    const Game game{.name = request->name(), .steam_app_id = request->steam_app_id()};
    const Game row = TRY(context.database.transact([&](db::Transaction& tx) -> Result<Game> {
      Game made = TRY(db::games::create(tx, game));
      TRY(note_event(context, tx, {.kind = EventKind::kGameCreated, .message = text_of(made)}));
      return made;
    }));
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

grpc::Status Service::DeleteGame(grpc::ServerContext* call, const v1::DeleteGameRequest* request,
                                 v1::DeleteGameResponse*) {
  return answer(call, "DeleteGame", [&](const Context& context) -> Result<void> {
    TRY(check_id("game_id", request->game_id()));
    return context.database.transact([&](db::Transaction& tx) -> Result<void> {
      const Game game = TRY(db::games::get(tx, request->game_id()));
      TRY(note_event(context, tx, {.kind = EventKind::kGameDeleted, .message = text_of(game)}));
      return db::games::remove(tx, game.game_id);
    });
  });
}

}  // namespace manman::api
