#include "db/repositories.h"
#include "db/rows.h"
#include "db/table.h"

namespace manman::db::games {
namespace {

Result<Game> to_domain(const GameRow& row) {
  return Game{row.id, row.name, row.steam_app_id};
}

}  // namespace

Result<Game> create(Transaction& tx, const Game& game) {
  TRY(check_text("games.name", game.name));
  if (TRY(find_id<GameRow>(tx, Where().when("name = :name", "name", game.name)))) {
    return fail(Code::kAlreadyExists, "there is a game \"" + game.name + "\" already");
  }
  GameRow row;
  row.name = game.name;
  row.steam_app_id = game.steam_app_id;
  return get(tx, TRY(insert(tx, std::move(row))));
}

Result<std::optional<Game>> find(Transaction& tx, const std::string& name) {
  const auto id = TRY(find_id<GameRow>(tx, Where().when("name = :name", "name", name)));
  if (!id) return std::nullopt;
  return get(tx, *id);
}

Result<Game> adopt(Transaction& tx, const Game& game) {
  GameRow row;
  row.id = game.game_id;
  row.name = game.name;
  row.steam_app_id = game.steam_app_id;
  return get(tx, TRY(adopt_row(tx, std::move(row))));
}

Result<Game> get(Transaction& tx, int64_t game_id) {
  return read_one<GameRow>(tx, game_id, to_domain);
}

Result<std::vector<Game>> list(Transaction& tx, const Page& page) {
  return read_all<GameRow>(tx, Where().page("game_id", page), to_domain);
}

Result<void> remove(Transaction& tx, int64_t game_id) {
  TRY((forbid_reference<GameRow, GameConfigRow>(tx, game_id, "game_id")));
  return erase_one<GameRow>(tx, game_id);
}

}  // namespace manman::db::games
